"""Train the VAEs of other libraries that benchmarks/others.py audits, each for a few minutes of one core.

    OTHERS=others python benchmarks/others_training.py --data DATA [--only pythae_btcvae …]

DATA holds chairs_mesh64.npz and celeba64.npz. What is there is not trained again.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import torch
from others import FOLDER, new_autoencoder, new_very_deep
from safetensors.torch import save_file
from torch import Tensor
from torch.nn.functional import interpolate

import seatbelt_vae as sb

COUNT = 2000
"""Images to train with: the first of a data set."""


def images_of(name: str, data: Path) -> Tensor:
    """In [0, 1], (N, C, 64, 64); what is not among them is left for the audit."""
    whole = sb.load_dataset(data / f"{name}.npz")
    return whole.subset(slice(0, COUNT))[:]


def batches(images: Tensor, size: int, steps: int) -> Iterator[Tensor]:
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        yield images[torch.randint(len(images), (size,), generator=generator)]


def pythae_btcvae(data: Path) -> None:
    """By pythae's own trainer."""
    from pythae.data.datasets import BaseDataset
    from pythae.models import BetaTCVAE, BetaTCVAEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    images = images_of("chairs_mesh64", data)
    torch.manual_seed(0)
    model = BetaTCVAE(BetaTCVAEConfig(input_dim=(1, 64, 64), latent_dim=10, beta=3.0))
    with tempfile.TemporaryDirectory() as folder:
        how = BaseTrainerConfig(output_dir=folder, num_epochs=15, learning_rate=1e-3, no_cuda=True)
        BaseTrainer(model, BaseDataset(images, torch.zeros(len(images))), training_config=how).train()
    model.save(str(FOLDER / "pythae_btcvae"))


def autoencoder_celeba(data: Path) -> None:
    """The ELBO of Gaussian pixels with σ = 0.1."""
    images = images_of("celeba64", data)
    model = new_autoencoder(8, 16, 16).train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    for x in batches(images, size=8, steps=300):
        q = model.encode(2 * x - 1).latent_dist
        made = (model.decode(q.sample()).sample + 1) / 2
        error = (made - x).square().flatten(1).sum(1) / (2 * 0.1**2)
        loss = (error + q.kl()).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    print(f"autoencoder_celeba: {float(loss):.0f} nats an image")
    model.save_pretrained(FOLDER / "autoencoder_celeba")


def very_deep(data: Path) -> None:
    """The loss of its own code."""
    images = interpolate(images_of("celeba64", data), scale_factor=0.5, mode="area")
    net, _ = new_very_deep()
    net.train().requires_grad_(True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-3)
    for x in batches(images, size=16, steps=500):
        y = 2 * x.permute(0, 2, 3, 1) - 1
        loss = net(y, y)["elbo"]
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 200.0)
        optimiser.step()
    print(f"very_deep: {float(loss):.2f} nats a pixel")
    save_file(net.state_dict(), FOLDER / "very_deep.safetensors")


TRAINED = {train.__name__: train for train in (pythae_btcvae, autoencoder_celeba, very_deep)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--only", nargs="+", default=list(TRAINED), choices=TRAINED)
    asked = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in asked.only:
        if not any(FOLDER.glob(f"{name}*")):
            TRAINED[name](asked.data)


if __name__ == "__main__":
    main()
