"""The networks of Chen et al. 2018, for any image with sides from 28 to 128 pixels.

References:
    Chen et al. 2018, Isolating Sources of Disentanglement in VAEs, appendix (64×64 encoders and decoders).
"""

from collections.abc import Sequence

from torch import Tensor, nn

from seatbelt_vae.errors import InputError

ImageShape = tuple[int, int, int]
CONV_FEATURES = 512
MLP_WIDTH = 1200
TINY_WIDTH = 64


def check_image_shape(image_shape: Sequence[int]) -> ImageShape:
    """Return (C, H, W) if the networks can take it, else say what they take.

    Raises:
        InputError: not (1 or 3 channels, H, W) with 28 ≤ H, W ≤ 128.

    Example:
        >>> check_image_shape([1, 64, 64])
        (1, 64, 64)
    """
    if len(image_shape) != 3 or image_shape[0] not in (1, 3):
        raise InputError(f"image shape {tuple(image_shape)}: must be (1 or 3 channels, height, width)")
    channels, height, width = image_shape
    for side in (height, width):
        if not 28 <= side <= 128:
            raise InputError(f"image side {side}: the networks take 28 to 128 pixels; load the data with size=64")
    return channels, height, width


def multilayer_perceptron(sizes: Sequence[int], activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    """Linear layers of the given sizes with an activation between them, none after the last."""
    layers: list[nn.Module] = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers[:-1])


def stage_sizes(height: int, width: int) -> list[tuple[int, int]]:
    """Height and width after each stride-2 convolution, the input first, until the shorter has 4 to 7 pixels."""
    sizes = [(height, width)]
    while min(sizes[-1]) >= 8:
        height, width = sizes[-1]
        sizes.append((height // 2, width // 2))
    return sizes


def stage_channels(stages: int, colour: bool) -> list[int]:
    """Channels after each stride-2 stage: 32,32,64,64 in grey and 64,64,128,128 in colour at 64×64."""
    base = 64 if colour else 32
    first = (stages + 1) // 2
    return [base] * first + [2 * base] * (stages - first)


class ConvFeatures(nn.Sequential):
    """Image (B, C, H, W) → features (B, 512): stride-2 convolutions, then one over the whole of what is left.

    Batch normalisation and ReLU follow every layer; the head that reads the features has neither.

    Example:
        >>> import torch
        >>> ConvFeatures((1, 32, 32))(torch.zeros(2, 1, 32, 32)).shape
        torch.Size([2, 512])
    """

    size = CONV_FEATURES

    def __init__(self, image_shape: ImageShape) -> None:
        colours, height, width = check_image_shape(image_shape)
        sizes = stage_sizes(height, width)
        channels = [colours, *stage_channels(len(sizes) - 1, colours == 3)]
        layers: list[nn.Module] = []
        for fan_in, fan_out in zip(channels[:-1], channels[1:], strict=True):
            layers += _normalised(nn.Conv2d(fan_in, fan_out, 4, stride=2, padding=1), fan_out)
        layers += _normalised(nn.Conv2d(channels[-1], CONV_FEATURES, sizes[-1]), CONV_FEATURES)
        super().__init__(*layers, nn.Flatten())


class MLPFeatures(nn.Sequential):
    """Image (B, C, H, W) → features (B, 1200): two hidden layers with ReLU.

    Example:
        >>> import torch
        >>> MLPFeatures((1, 28, 28))(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 1200])
    """

    size = MLP_WIDTH

    def __init__(self, image_shape: ImageShape) -> None:
        channels, height, width = check_image_shape(image_shape)
        perceptron = multilayer_perceptron([channels * height * width, self.size, self.size])
        super().__init__(nn.Flatten(), perceptron, nn.ReLU())


class ConvDecoder(nn.Module):
    """Latents (B, D) → maps (B, K, H, W): the mirror image of :class:`ConvFeatures`.

    Example:
        >>> import torch
        >>> ConvDecoder(10, (3, 48, 48), maps=6)(torch.zeros(2, 10)).shape
        torch.Size([2, 6, 48, 48])
    """

    def __init__(self, latent_size: int, image_shape: ImageShape, maps: int) -> None:
        super().__init__()
        colours, height, width = check_image_shape(image_shape)
        sizes = stage_sizes(height, width)[::-1]
        channels = [*stage_channels(len(sizes) - 1, colours == 3)[::-1], maps]
        layers: list[nn.Module] = [
            *_normalised(nn.ConvTranspose2d(latent_size, CONV_FEATURES, 1), CONV_FEATURES),
            *_normalised(nn.ConvTranspose2d(CONV_FEATURES, channels[0], sizes[0]), channels[0]),
        ]
        for stage, (fan_in, fan_out) in enumerate(zip(channels[:-1], channels[1:], strict=True)):
            (low, narrow), (high, wide) = sizes[stage : stage + 2]
            odd = (high - 2 * low, wide - 2 * narrow)
            layer = nn.ConvTranspose2d(fan_in, fan_out, 4, stride=2, padding=1, output_padding=odd)
            layers += _normalised(layer, fan_out)
        self.layers = nn.Sequential(*layers[:-2])  # the last layer gives the maps as they are

    def forward(self, z: Tensor) -> Tensor:
        """Return the likelihood's parameter maps for latents (B, D)."""
        out: Tensor = self.layers(z[:, :, None, None])
        return out


class MLPDecoder(nn.Sequential):
    """Latents (B, D) → maps (B, K, H, W): three hidden layers of 1200 with tanh.

    Example:
        >>> import torch
        >>> MLPDecoder(10, (1, 32, 32), maps=2)(torch.zeros(4, 10)).shape
        torch.Size([4, 2, 32, 32])
    """

    width = MLP_WIDTH

    def __init__(self, latent_size: int, image_shape: ImageShape, maps: int) -> None:
        _, height, width = check_image_shape(image_shape)
        sizes = [latent_size, self.width, self.width, self.width, maps * height * width]
        super().__init__(multilayer_perceptron(sizes, nn.Tanh), nn.Unflatten(1, (maps, height, width)))


class TinyFeatures(MLPFeatures):
    """Image (B, C, H, W) → features (B, 64): the perceptron for trials and tests, a run of it takes 2 MB and not 100.

    Example:
        >>> import torch
        >>> TinyFeatures((1, 28, 28))(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 64])
    """

    size = TINY_WIDTH


class TinyDecoder(MLPDecoder):
    """Latents (B, D) → maps (B, K, H, W): three hidden layers of 64 with tanh.

    Example:
        >>> sum(parameter.numel() for parameter in TinyDecoder(10, (1, 28, 28), maps=1).parameters())
        59984
    """

    width = TINY_WIDTH


def _normalised(layer: nn.Module, channels: int) -> list[nn.Module]:
    """A layer with batch normalisation and ReLU after it."""
    return [layer, nn.BatchNorm2d(channels), nn.ReLU(inplace=True)]


NETWORKS: dict[str, tuple[type[ConvFeatures | MLPFeatures], type[ConvDecoder | MLPDecoder]]] = {
    "conv": (ConvFeatures, ConvDecoder),
    "mlp": (MLPFeatures, MLPDecoder),
    "tiny": (TinyFeatures, TinyDecoder),
}
"""Encoder features and decoder by name; a new architecture is one line here."""
