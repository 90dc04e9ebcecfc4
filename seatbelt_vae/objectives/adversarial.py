"""The adversarial ELBO: images are explained from the worst encoding within a ball."""

from dataclasses import dataclass
from typing import get_args

from seatbelt_vae.errors import InputError
from seatbelt_vae.models.hierarchical import Encoding, HierarchicalVAE
from seatbelt_vae.objectives.perturbation import Target, check_inner, worst_case
from seatbelt_vae.objectives.protocol import Batch
from seatbelt_vae.objectives.wrapper import Perturbed


@dataclass(frozen=True)
class Adversarial(Perturbed):
    r"""Any objective, with a share of each batch encoded from where the model is worst.

    .. math:: \max \; \mathbb{E}_{q(z|x + d^*)} \log p(x|z) - KL(q(z|x + d^*) \,\|\, p), \qquad
        d^* = \arg\max_{\|d\| \le \varepsilon} \|\mathrm{rec}(x + d) - \mathrm{rec}(x)\|^2

    The base objective sees the encoding of the mixed batch; what is to be explained is the clean x. Radius 0 gives the
    base objective to the bit.

    Args:
        base: the objective that is wrapped.
        inner_steps: gradients from which d is found.
        target: what d is the worst for: the ``reconstruction``, the posterior by its KL (``untargeted-latent``), or the
            posterior on its way to another image's (``targeted``).

    References:
        Madry et al. 2018, Towards Deep Learning Models Resistant to Adversarial Attacks. Cemgil et al. 2020, The
        Autoencoding Variational Autoencoder (adversarial data augmentation of VAEs).

    Example:
        >>> import torch
        >>> from seatbelt_vae.models import vae
        >>> from seatbelt_vae.objectives import ELBO
        >>> model, x = vae((1, 28, 28), network="mlp"), torch.rand(4, 1, 28, 28)
        >>> objective = Adversarial(ELBO(), radius=1.0)
        >>> encoding = objective.encode(model, Batch.of(model, x))
        >>> objective(encoding, x, data_size=100).elbo.shape
        torch.Size([4])
    """

    inner_steps: int = 4
    target: Target = "reconstruction"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_inner(self.inner_steps)
        if self.target not in get_args(Target):
            raise InputError(f"target {self.target!r}: must be one of {', '.join(get_args(Target))}")

    def encode(self, model: HierarchicalVAE, batch: Batch) -> Encoding:
        """The base's pass over the batch, whose first rows are perturbed."""
        if self.radius == 0:
            return self.base.encode(model, batch)
        ball = self.ball(batch)
        worst = worst_case(
            model,
            ball,
            batch.generator,
            steps=self.inner_steps,
            target=self.target,
        )
        return self.base.encode(model, batch.with_first(worst))
