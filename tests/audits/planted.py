"""Thirty ways to seem robust, done to a small VAE; each with the flags of which one must be raised."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.distributions import Distribution, Normal

from tests.audits.base import LATENTS, SIDE, Small


class Rounds(Small):
    """Pixels to a few levels."""

    levels = 15.0

    def look(self, x: Tensor) -> Tensor:
        return (x * self.levels).round() / self.levels


class SaturatesInput(Small):
    """Pixels through a steep sigmoid, to black or white."""

    def look(self, x: Tensor) -> Tensor:
        return torch.sigmoid(400 * (x - 0.5))


class SaturatesMeans(Small):
    """Means through a steep tanh."""

    def features(self, x: Tensor) -> Tensor:
        mean, log_variance = super().features(x).chunk(2, 1)
        return torch.cat([torch.tanh(60 * mean), log_variance], 1)


class RoundsMeans(Small):
    """Means to a grid."""

    def features(self, x: Tensor) -> Tensor:
        mean, log_variance = super().features(x).chunk(2, 1)
        return torch.cat([(2 * mean).round() / 2, log_variance], 1)


class _Backward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, change):  # type: ignore[no-untyped-def]
        ctx.change = change
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):  # type: ignore[no-untyped-def]
        return ctx.change(gradient), None


class FlipsGradient(Small):
    """The gradient with its sign turned round."""

    def look(self, x: Tensor) -> Tensor:
        return _Backward.apply(x, lambda gradient: -gradient)


class ShufflesGradient(Small):
    """The gradient's pixels in another order."""

    def look(self, x: Tensor) -> Tensor:
        order = torch.randperm(SIDE * SIDE, generator=torch.Generator().manual_seed(0))
        return _Backward.apply(x, lambda gradient: gradient.flatten(1)[:, order].view_as(gradient))


class SignsGradient(Small):
    """Random signs on the gradient's pixels."""

    def look(self, x: Tensor) -> Tensor:
        signs = torch.randint(0, 2, (SIDE, SIDE), generator=torch.Generator().manual_seed(0)) * 2 - 1
        return _Backward.apply(x, lambda gradient: gradient * signs)


class ShrinksGradient(Small):
    """A gradient a thousand times too small."""

    def look(self, x: Tensor) -> Tensor:
        return _Backward.apply(x, lambda gradient: 1e-3 * gradient)


class MasksGradient(Small):
    """A gradient of the border alone."""

    def look(self, x: Tensor) -> Tensor:
        inner = torch.ones(SIDE, SIDE)
        inner[1:-1, 1:-1] = 0
        return _Backward.apply(x, lambda gradient: gradient * inner)


class ExplodesGradient(Small):
    """A gradient that is not finite."""

    def look(self, x: Tensor) -> Tensor:
        return _Backward.apply(x, lambda gradient: gradient / 0)


class Shatters(Small):
    """A fine, fast oscillation on every pixel."""

    def look(self, x: Tensor) -> Tensor:
        return x + 0.004 * torch.sin(4000 * x)


class Detaches(Small):
    """A graph that is cut."""

    def look(self, x: Tensor) -> Tensor:
        return x.detach()


class Numpy(Small):
    """Preprocessing by another library."""

    def look(self, x: Tensor) -> Tensor:
        return torch.from_numpy(x.detach().cpu().numpy().copy())


class IgnoresInput(Small):
    """An encoder that gives the same code to every image."""

    def features(self, x: Tensor) -> Tensor:
        return 0.0 * super().features(x)


class IgnoresCode(Small):
    """A decoder that shows the same image for every code."""

    def show(self, z: Tensor) -> Tensor:
        return super().show(0.0 * z)


class RandomEncoder(Small):
    """Gaussian noise on the image, drawn anew every time."""

    def look(self, x: Tensor) -> Tensor:
        return x + 0.1 * torch.randn_like(x)


class Drops(Small):
    """Dropout that no mode switches off."""

    def look(self, x: Tensor) -> Tensor:
        return F.dropout(x, 0.2, training=True)


class RandomDecoder(Small):
    """A decoder that returns a sample."""

    def show(self, z: Tensor) -> Tensor:
        return super().show(z + 0.2 * torch.randn_like(z))


class NormalisesBatch(Small):
    """Statistics over the batch."""

    def features(self, x: Tensor) -> Tensor:
        out = super().features(x)
        if len(out) > 1:
            out = out - 0.5 * out.mean(0)
        return out


class DecodesTogether(Small):
    """A decoder whose brightness is that of the batch."""

    def show(self, z: Tensor) -> Tensor:
        made = super().show(z)
        return made * (0.6 + made.mean())


class DropoutOn(Small):
    """A layer of dropout, handed over in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.3)

    def look(self, x: Tensor) -> Tensor:
        return self.drop(x)


class BatchNormOn(Small):
    """A batch norm, handed over in training mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(1)

    def look(self, x: Tensor) -> Tensor:
        return self.norm(x)


class Compresses(Small):
    """Something like JPEG: rounded coefficients of 4×4 blocks."""

    def look(self, x: Tensor) -> Tensor:
        place = torch.arange(4).float()
        basis = torch.cos((place[:, None] + 0.5) * place[None] * torch.pi / 4)
        basis = basis / basis.norm(dim=0)
        blocks = x.unfold(2, 4, 4).unfold(3, 4, 4)
        coefficients = ((basis.T @ blocks @ basis) * 8).round() / 8
        restored = basis @ coefficients @ basis.T
        return restored.permute(0, 1, 2, 4, 3, 5).reshape_as(x)


class Underflows(Small):
    """A gradient that half precision loses."""

    def look(self, x: Tensor) -> Tensor:
        return _Backward.apply(x, lambda gradient: (1e-9 * gradient).half().float() * 1e9)


class HalfInside(Small):
    """Half precision in the middle, at values that it cannot hold."""

    def look(self, x: Tensor) -> Tensor:
        return (x + 512).to(torch.float16).to(x.dtype) - 512


class Int8Layers(Small):
    """Activations of 8-bit layers."""

    def features(self, x: Tensor) -> Tensor:
        hidden = self.encoder[:3](x)
        step = 0.02
        hidden = (hidden / step).round().clamp(-128, 127) * step
        out: Tensor = self.encoder[3:](hidden)
        return out


class ZeroScale(Small):
    """σ = 0."""

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        mean, _ = self.features(x).chunk(2, 1)
        return (Normal(mean, torch.zeros_like(mean), validate_args=False),)


class TinyScale(Small):
    """σ = 10⁻⁷."""

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        mean, _ = self.features(x).chunk(2, 1)
        return (Normal(mean, torch.full_like(mean, 1e-7), validate_args=False),)


class NanForDark(Small):
    """NaN for images that are dark on the left."""

    def features(self, x: Tensor) -> Tensor:
        dark = x[..., : SIDE // 2].mean((1, 2, 3), keepdim=False) < 0.12
        return torch.where(dark[:, None], torch.nan, super().features(x))

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        mean, log_variance = self.features(x).chunk(2, 1)
        return (Normal(mean, (0.5 * log_variance).exp()),)  # that checks its parameters


class Remembers(Small):
    """The code of the nearest of some images, chosen by a steep softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.known = torch.zeros(0, 1, SIDE, SIDE)

    def features(self, x: Tensor) -> Tensor:
        far = torch.cdist(x.flatten(1), self.known.flatten(1))
        chosen = torch.softmax(-300 * far, 1)
        return chosen @ super().features(self.known)


class Ratchet(Small):
    """Noise that depends on how often it was asked."""

    asked = 0

    def look(self, x: Tensor) -> Tensor:
        Ratchet.asked += 1
        return x + 0.05 * torch.sin(torch.tensor(float(Ratchet.asked)))


class Amplifies(Small):
    """What is below a grey level, made large: the attack lives there."""

    def look(self, x: Tensor) -> Tensor:
        level = (x * 255).round() / 255
        return level.detach() + 100 * (x - level.detach())


DEFECTS: dict[str, tuple[type[Small], tuple[str, ...]]] = {
    "pixels rounded to 4 bits": (Rounds, ("gradient_zero",)),
    "pixels rounded to 8 bits": (Rounds, ("gradient_zero",)),
    "saturating encoder": (SaturatesInput, ("unconstrained", "gradient_zero", "finite_differences")),
    "saturated means": (SaturatesMeans, ("unconstrained", "finite_differences", "blend_better")),
    "rounded means": (RoundsMeans, ("gradient_zero", "finite_differences")),
    "gradient flipped": (FlipsGradient, ("finite_differences",)),
    "gradient shuffled": (ShufflesGradient, ("finite_differences",)),
    "gradient of random signs": (SignsGradient, ("finite_differences",)),
    "gradient a thousandth": (ShrinksGradient, ("finite_differences",)),
    "gradient of the border": (MasksGradient, ("finite_differences",)),
    "gradient not finite": (ExplodesGradient, ("not_finite",)),
    "shattered gradient": (Shatters, ("finite_differences",)),
    "detached graph": (Detaches, ("no_gradient",)),
    "numpy inside": (Numpy, ("no_gradient",)),
    "input ignored": (IgnoresInput, ("input_ignored",)),
    "code ignored": (IgnoresCode, ("input_ignored",)),
    "random encoder": (RandomEncoder, ("encoder_random",)),
    "dropout that is always on": (Drops, ("encoder_random",)),
    "random decoder": (RandomDecoder, ("decoder_random",)),
    "statistics over the batch": (NormalisesBatch, ("batch_dependent",)),
    "decoder dependent on the batch": (DecodesTogether, ("batch_dependent",)),
    "dropout on": (DropoutOn, ("training_mode",)),
    "batch norm in training mode": (BatchNormOn, ("training_mode",)),
    "preprocessing like JPEG": (Compresses, ("gradient_zero",)),
    "gradient underflow": (Underflows, ("gradient_zero", "finite_differences")),
    "half precision inside": (HalfInside, ("float64", "finite_differences")),
    "8-bit layers": (Int8Layers, ("gradient_zero", "finite_differences")),
    "zero scale": (ZeroScale, ("not_finite",)),
    "tiny scale": (TinyScale, ("deterministic_code",)),
    "NaN for some images": (NanForDark, ("not_finite",)),
    "memorised images": (Remembers, ("memorised",)),
    "answers that drift": (Ratchet, ("encoder_random",)),
    "hidden below a grey level": (Amplifies, ("undone_by_rounding", "finite_differences")),
}
"""Name, class, and the flags of which one at least must be raised."""

IN_TRAINING = ("dropout on", "batch norm in training mode")

SIZES = LATENTS


def plant(name: str, base: Small, images: Tensor) -> Small:
    """The small VAE with a defect."""
    cls = DEFECTS[name][0]
    model = cls()
    model.load_state_dict(base.state_dict(), strict=False)
    if isinstance(model, Rounds) and "8 bits" in name:
        model.levels = 255.0
    if isinstance(model, Remembers):
        model.known = images[:256]
    model.requires_grad_(False)
    return model.train(name in IN_TRAINING)
