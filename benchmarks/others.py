"""VAEs of other libraries, each ready to be audited in ten lines; benchmarks/others_training.py trains them.

    seatbelt audit benchmarks.others:pythae_btcvae --data chairs_mesh64.npz

Their weights lie in the folder that the variable OTHERS names, "others" if it is not set. Needs pip install pythae,
diffusers, and for `very_deep` the files vae.py, vae_helpers.py and hps.py of github.com/openai/vdvae (MIT licence) in
its subfolder vdvae.
"""

import os
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor

import seatbelt_vae as sb
from seatbelt_vae.adapters import Wrapped
from seatbelt_vae.adapters.diffusers import autoencoder_kl
from seatbelt_vae.adapters.pythae import pythae

FOLDER = Path(os.environ.get("OTHERS", "others"))


def pythae_btcvae() -> Wrapped:
    """β-TCVAE of chairs 64×64, trained by pythae."""
    from pythae.models import AutoModel

    return pythae(AutoModel.load_from_folder(str(FOLDER / "pythae_btcvae")))


def autoencoder_256() -> Wrapped:
    """A small AutoencoderKL with random weights, of images 256×256."""
    return autoencoder_kl(new_autoencoder(4, 4, 8, 8), image_shape=(3, 256, 256))


def autoencoder_celeba() -> Wrapped:
    """A small AutoencoderKL of CelebA 64×64."""
    from diffusers import AutoencoderKL

    return autoencoder_kl(AutoencoderKL.from_pretrained(FOLDER / "autoencoder_celeba"), image_shape=(3, 64, 64))


def new_autoencoder(*channels: int) -> Any:
    """An AutoencoderKL with as many halvings as there are channels but one."""
    from diffusers import AutoencoderKL

    torch.manual_seed(0)
    return AutoencoderKL(
        block_out_channels=channels,
        down_block_types=("DownEncoderBlock2D",) * len(channels),
        up_block_types=("UpDecoderBlock2D",) * len(channels),
        norm_num_groups=4,
    ).eval()


def very_deep() -> Wrapped:
    """A very deep VAE of OpenAI, eight layers, of CelebA 32×32; noise goes in where it draws."""
    net, vae = new_very_deep()
    net.load_state_dict(load_file(FOLDER / "very_deep.safetensors"))

    def encode(x: Tensor, noise: Any = ()) -> list[tuple[Tensor, Tensor]]:
        layers = []
        left = iter(noise or ())

        def draw(mean: Tensor, log_scale: Tensor) -> Tensor:
            layers.append((mean, log_scale))
            return mean + log_scale.exp() * next(left, 0.0)

        vae.draw_gaussian_diag_samples = draw
        net.decoder(net.encoder(x.permute(0, 2, 3, 1)))
        return layers

    def decode(z: tuple[Tensor, ...]) -> Tensor:
        return mean_colours(net.decoder.out_net(net.decoder.forward_manual_latents(len(z[0]), z)))

    return sb.wrap(encode, decode, image_shape=(3, 32, 32), bounds=(-1, 1), posterior="log-scale", order="top-first")


def new_very_deep() -> tuple[Any, Any]:
    """The network, and the module that has its classes."""
    sys.path.insert(0, str(FOLDER / "vdvae"))
    import vae
    from hps import Hyperparams

    torch.manual_seed(0)
    blocks = {
        "enc_blocks": "32x1,32d2,16x1,16d2,8x1,8d2,4x1,4d4,1x1",
        "dec_blocks": "1x1,4m1,4x1,8m4,8x1,16m8,16x1,32m16",
    }
    sizes = {"width": 32, "zdim": 4, "image_size": 32, "image_channels": 3, "num_mixtures": 3}
    net = vae.VAE(Hyperparams(**blocks, **sizes, bottleneck_multiple=0.25, no_bias_above=64))
    return net.eval().requires_grad_(False), vae


def mean_colours(parameters: Tensor) -> Tensor:
    """The mean image (B, 3, H, W) of a mixture of logistics (B, H, W, 10 K), whose green knows red, and blue both."""
    count = parameters.shape[-1] // 10
    weights = parameters[..., :count].softmax(-1)
    means, _, links = parameters[..., count:].unflatten(-1, (3, 3 * count)).split(count, -1)
    red, green, blue = means.unbind(3)
    first, second, third = links.tanh().unbind(3)
    green = green + first * red
    blue = blue + second * red + third * green
    return (weights[..., None, :] * torch.stack([red, green, blue], 3)).sum(-1).permute(0, 3, 1, 2)
