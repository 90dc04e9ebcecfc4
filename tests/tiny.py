"""Models small enough to run by the thousand: a linear encoder and decoder of the caller's own."""

from torch import nn

HIDDEN = 6


def network(shape: tuple[int, int, int], latents: int, maps_per_channel: int = 1) -> tuple[nn.Module, nn.Module]:
    """(encoder, decoder) modules for images of any shape, of a few hundred weights at 28×28 and at 64×64 alike.

    Both work on the image's 2×2 summary: the encoder averages down to it, the decoder spreads it out. What a decoder
    gives differs from channel to channel and from map to map.
    """
    channels, height, width = shape
    maps = channels * maps_per_channel
    encoder = nn.Sequential(nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(4 * channels, HIDDEN), nn.Tanh())
    decoder = nn.Sequential(
        nn.Linear(latents, HIDDEN), nn.Tanh(), nn.Linear(HIDDEN, 4 * maps), nn.Unflatten(1, (maps, 2, 2))
    )
    return encoder, nn.Sequential(decoder, nn.Upsample((height, width)))
