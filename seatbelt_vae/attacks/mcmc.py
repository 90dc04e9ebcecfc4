"""MCMC at inference, a defence: the code moves from the encoder's mean towards the true posterior p(z|x)."""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor
from torch.distributions import Distribution, Normal

from seatbelt_vae.attacks.defended import Defended
from seatbelt_vae.attacks.part import check_choice, check_count
from seatbelt_vae.attacks.protocol import Attackable, posteriors
from seatbelt_vae.errors import InputError
from seatbelt_vae.metrics.robustness import with_axes_of

Layers = list[Tensor]


class MCMC(Defended):
    """A model whose encoder is followed by a Markov chain; subclasses write `_walk`.

    The scales are the encoder's own. The gradient of an attack goes through every step ("unrolled"), or past them, as
    if they did nothing ("straight-through": BPDA, Athalye et al. 2018).

    Args:
        model: anything attackable.
        steps: of the chain.
        step_size: η.
        gradient: "unrolled" or "straight-through".
        seed: of the chain's random numbers.
    """

    def __init__(
        self,
        model: Attackable,
        steps: int,
        step_size: float,
        gradient: Literal["unrolled", "straight-through"],
        seed: int,
    ) -> None:
        super().__init__(model, seed)
        check_count("steps", steps)
        check_choice("gradient", gradient, ("unrolled", "straight-through"))
        if not 0 < step_size < float("inf"):
            raise InputError(f"step_size {step_size!r}: must be a finite number above 0")
        self.steps = steps
        self.step_size = step_size
        self.unrolled = gradient == "unrolled"

    def encode(self, x: Tensor, noise: Sequence[Tensor] | None = None) -> tuple[Distribution, ...]:
        """The posteriors about where the chain ends."""
        q = posteriors(self.model, x, noise)
        begin = [layer.loc for layer in q]
        tracked = torch.is_grad_enabled() and any(layer.requires_grad for layer in begin)
        unrolled = self.unrolled and tracked
        if not unrolled:
            x = x.detach()
        with torch.enable_grad():
            end = cut(self._walk(x, cut(begin, unrolled), unrolled), unrolled)
        if tracked and not unrolled:
            end = [layer + (moved - layer).detach() for layer, moved in zip(begin, end, strict=True)]
        return tuple(Normal(loc, layer.scale, validate_args=False) for loc, layer in zip(end, q, strict=True))

    def _walk(self, x: Tensor, z: Layers, unrolled: bool) -> Layers:
        """Where the chain that begins at z ends."""
        raise NotImplementedError

    def log_density(self, x: Tensor, z: Layers) -> Tensor:
        """The logarithm of p(x|z) p(z), in nats, (B,)."""
        density = self.model.decode(z).log_prob(x)
        for prior, layer in zip(self.prior(z), z, strict=True):
            density = density + prior.log_prob(layer).flatten(1).sum(1)
        return density

    def _ascent(self, x: Tensor, z: Layers, unrolled: bool) -> tuple[Tensor, Layers]:
        """The density, and its gradient in z."""
        density = self.log_density(x, [layer.requires_grad_() for layer in z])
        gradient = torch.autograd.grad(density.sum(), z, create_graph=unrolled)
        return density, list(gradient)

    def _normals(self, z: Layers, generator: torch.Generator) -> Layers:
        """Standard normals for every step and layer, the same for every image."""
        drawn = [torch.randn(self.steps, *layer.shape[1:], generator=generator) for layer in z]
        return [numbers.to(layer) for numbers, layer in zip(drawn, z, strict=True)]


class Langevin(MCMC):
    r"""Steps of Langevin dynamics from the encoder's mean, each of them taken.

    .. math:: z_{k+1} = z_k + \eta \nabla_z \big(\log p(x|z_k) + \log p(z_k)\big) + \sqrt{2 \eta T}\, \xi_k

    Args:
        model: anything attackable.
        steps: how many.
        step_size: η.
        temperature: T; 0 climbs to a mode.
        gradient: "unrolled" or "straight-through".
        seed: of ξ.

    Raises:
        InputError: no step, one of no length, a temperature below 0, an unknown gradient.

    References:
        Roberts & Tweedie 1996, Exponential convergence of Langevin distributions and their discrete approximations.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = Langevin(vae((1, 28, 28), latent_sizes=(4,), network="mlp").eval(), steps=2, step_size=1e-3)
        >>> model.encode(torch.rand(3, 1, 28, 28))[0].loc.shape
        torch.Size([3, 4])
    """

    def __init__(
        self,
        model: Attackable,
        steps: int = 10,
        step_size: float = 1e-3,
        temperature: float = 1.0,
        gradient: Literal["unrolled", "straight-through"] = "unrolled",
        seed: int = 0,
    ) -> None:
        super().__init__(model, steps, step_size, gradient, seed)
        if not 0 <= temperature < float("inf"):
            raise InputError(f"temperature {temperature!r}: must be a finite number, 0 or more")
        self.temperature = temperature

    def _walk(self, x: Tensor, z: Layers, unrolled: bool) -> Layers:
        jitter = (2 * self.step_size * self.temperature) ** 0.5
        xi = self._normals(z, torch.Generator().manual_seed(self.seed))
        for step in range(self.steps):
            _, ascent = self._ascent(x, z, unrolled)
            moved = [a + self.step_size * g + jitter * n[step] for a, g, n in zip(z, ascent, xi, strict=True)]
            z = cut(moved, unrolled)
        return z


class Hamiltonian(MCMC):
    r"""Hamiltonian Monte Carlo from the encoder's mean: leapfrog proposals, each accepted or not.

    With U(z) = −log p(x|z) − log p(z) and a fresh momentum p ~ N(0, I), a proposal is L times

    .. math:: p \leftarrow p - \tfrac\eta2 \nabla U(z), \quad z \leftarrow z + \eta p, \quad
        p \leftarrow p - \tfrac\eta2 \nabla U(z)

    and accepted with probability :math:`\min(1, e^{H(z, p) - H(z', p')})`, :math:`H = U(z) + \|p\|^2 / 2`. What is
    accepted is a step function of the image, whose gradient is 0; that of an attack goes through the proposals.

    Args:
        model: anything attackable.
        steps: proposals.
        step_size: η; smaller where too few are accepted, see `accepted`.
        leapfrog: L.
        gradient: "unrolled" or "straight-through".
        seed: of momenta and acceptance.

    Attributes:
        accepted: share of the proposals of each image that were, of the last call, (B,).

    Raises:
        InputError: no step, one of no length, an unknown gradient.

    References:
        Kuzina, Welling & Tomczak 2022, Alleviating adversarial attacks on variational autoencoders with MCMC. There the
        chain begins at a sample of the encoder; here at its mean, so that an attack has a function. Neal 2011, MCMC
        using Hamiltonian dynamics.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model = Hamiltonian(vae((1, 28, 28), latent_sizes=(4,), network="mlp").eval(), steps=2, step_size=1e-3)
        >>> model.encode(torch.rand(3, 1, 28, 28))[0].loc.shape, model.accepted
        (torch.Size([3, 4]), tensor([1., 1., 1.]))
    """

    def __init__(
        self,
        model: Attackable,
        steps: int = 10,
        step_size: float = 1e-2,
        leapfrog: int = 5,
        gradient: Literal["unrolled", "straight-through"] = "unrolled",
        seed: int = 0,
    ) -> None:
        super().__init__(model, steps, step_size, gradient, seed)
        check_count("leapfrog", leapfrog)
        self.leapfrog = leapfrog
        self.accepted = torch.ones(0)

    def _walk(self, x: Tensor, z: Layers, unrolled: bool) -> Layers:
        momenta, luck = self._chance(z)
        count = torch.zeros(len(x), device=x.device)
        for step in range(self.steps):
            p = [layer[step].expand_as(place) for layer, place in zip(momenta, z, strict=True)]
            proposed, gain = self.proposal(x, z, p, unrolled)
            taken = gain >= luck[step]
            z = [torch.where(with_axes_of(taken, new), new, old) for new, old in zip(proposed, z, strict=True)]
            count += taken
        self.accepted = count / self.steps
        return z

    def _chance(self, z: Layers) -> tuple[Layers, Tensor]:
        """The momenta of every step, and log u, u ~ U(0, 1), which decides what is accepted; alike for all images."""
        generator = torch.Generator().manual_seed(self.seed)
        momenta = self._normals(z, generator)
        return momenta, torch.rand(self.steps, generator=generator).log().to(z[0])

    def proposal(self, x: Tensor, z: Layers, p: Layers, unrolled: bool = False) -> tuple[Layers, Tensor]:
        """Where a momentum leads to from z, and H before less H after, (B,)."""
        density, ascent = self._ascent(x, z, unrolled)
        before = density - _kinetic(p)
        for _ in range(self.leapfrog):
            p = [a + self.step_size / 2 * g for a, g in zip(p, ascent, strict=True)]
            z = cut([a + self.step_size * b for a, b in zip(z, p, strict=True)], unrolled)
            density, ascent = self._ascent(x, z, unrolled)
            p = [a + self.step_size / 2 * g for a, g in zip(p, ascent, strict=True)]
        gain = density - _kinetic(p) - before
        return cut(z, unrolled), gain.detach()


def cut(z: Layers, unrolled: bool) -> Layers:
    """The same without a history, where none is to be kept.

    Example:
        >>> cut([torch.ones(1, requires_grad=True)], unrolled=False)
        [tensor([1.])]
    """
    if unrolled:
        return z
    return [layer.detach() for layer in z]


def _kinetic(p: Layers) -> Tensor:
    """‖p‖²/2 over all layers, (B,)."""
    return sum((layer.square().flatten(1).sum(1) / 2 for layer in p), torch.zeros(()))
