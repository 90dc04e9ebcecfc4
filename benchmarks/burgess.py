"""VAEs that others trained: the network of Burgess et al. 2018 with the weights of disentangling-vae (MIT licence)."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.distributions import Bernoulli, Distribution, Independent, Normal

from seatbelt_vae.storage import read_tensors


class Burgess(nn.Module):
    """The architecture of Burgess et al. 2018 with the names of disentangling-vae."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        super().__init__()
        channels = weights["encoder.conv1.weight"].shape[1]
        sizes = {"conv1": channels, "conv2": 32, "conv3": 32, "conv_64": 32}
        encoder = {name: nn.Conv2d(size, 32, 4, 2, 1) for name, size in sizes.items()}
        encoder |= {"lin1": nn.Linear(512, 256), "lin2": nn.Linear(256, 256), "mu_logvar_gen": nn.Linear(256, 20)}
        decoder = {"lin1": nn.Linear(10, 256), "lin2": nn.Linear(256, 256), "lin3": nn.Linear(256, 512)}
        for name, size in {"convT_64": 32, "convT1": 32, "convT2": 32, "convT3": channels}.items():
            decoder[name] = nn.ConvTranspose2d(32, size, 4, 2, 1)
        self.encoder = nn.ModuleDict(encoder)
        self.decoder = nn.ModuleDict(decoder)
        self.load_state_dict(weights)

    def moments(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Means and log-variances, which the last layer has interleaved."""
        for name in ("conv1", "conv2", "conv3", "conv_64"):
            x = torch.relu(self.encoder[name](x))
        x = x.flatten(1)
        for name in ("lin1", "lin2"):
            x = torch.relu(self.encoder[name](x))
        mean, log_variance = self.encoder["mu_logvar_gen"](x).unflatten(1, (-1, 2)).unbind(2)
        return mean, log_variance

    def logits(self, z: Tensor) -> Tensor:
        """Of the pixels."""
        for name in ("lin1", "lin2", "lin3"):
            z = torch.relu(self.decoder[name](z))
        x = z.view(-1, 32, 4, 4)
        for name in ("convT_64", "convT1", "convT2"):
            x = torch.relu(self.decoder[name](x))
        return self.decoder["convT3"](x)

    def image(self, z: Tensor) -> Tensor:
        """The mean image."""
        return torch.sigmoid(self.logits(z))

    def encode(self, x: Tensor, noise: object = None) -> tuple[Distribution, ...]:
        mean, log_variance = self.moments(x)
        return (Normal(mean, (0.5 * log_variance).exp(), validate_args=False),)

    def decode(self, z: tuple[Tensor, ...]) -> Distribution:
        return Independent(Bernoulli(logits=self.logits(z[0]), validate_args=False), 3)


def load(path: Path) -> Burgess:
    """A model with its weights."""
    weights = read_tensors(path)
    kept = {name: weight for name, weight in weights.items() if name.split(".")[0] in ("encoder", "decoder")}
    return Burgess(kept).eval()
