"""The model under audit, its pairs of images, and what it makes of any image: judged in one place."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from seatbelt_vae import metrics
from seatbelt_vae.attacks import Attackable, reconstruct


@dataclass(frozen=True, eq=False)
class Found:
    """Images that something found for every pair, and what the model made of them.

    Attributes:
        name: of what found them.
        images: x*, (P, K, C, H, W).
        reconstruction: rec(x*), likewise.
        distortion: ‖x* − x‖ / ‖x_t − x‖, (P, K).
        success: s, (P, K); 0 where the reconstruction is not finite.
        damage: ‖rec(x*) − rec(x)‖, (P, K), in the data's units; 0 likewise.
        evaluations: how often the model was asked, with a gradient or without.
    """

    name: str
    images: Tensor
    reconstruction: Tensor
    distortion: Tensor
    success: Tensor
    damage: Tensor
    evaluations: int = 0

    def curve(self, grid: Tensor) -> Tensor:
        """Success in [0, 1] at relative distortions (G,), by interpolation of the best found, (P, G)."""
        return 1 - metrics.curve_at(self.distortion, self.success, grid)

    def damage_at(self, grid: Tensor) -> Tensor:
        """The largest damage within each relative distortion (G,), (P, G)."""
        columns = [metrics.success_at(self.distortion, self.damage, at) for at in grid.tolist()]
        return torch.stack(columns, dim=1)

    @property
    def f50(self) -> Tensor:
        """Smallest relative distortion of success ½, (P,); infinite where there is none."""
        return metrics.f50(self.distortion, self.success)

    def best_within(self, limit: Tensor) -> "Found":
        """Of the images within a relative distortion for each pair (P,) the one of best success; the first if none."""
        inside = self.distortion <= limit[:, None]
        best = self.success.masked_fill(~inside, -torch.inf).argmax(1)
        row = torch.arange(len(best))
        pick = lambda tensor: tensor[row, best][:, None]  # noqa: E731
        return Found(
            self.name,
            images=pick(self.images),
            reconstruction=pick(self.reconstruction),
            distortion=pick(self.distortion),
            success=pick(self.success),
            damage=pick(self.damage),
            evaluations=self.evaluations,
        )


def envelope(parts: Iterable[Found], grid: Tensor) -> Tensor:
    """The highest of the curves of several attacks, (P, G).

    Of the curves and not of the points: between two images of one attack a weaker one of another lowers nothing.
    """
    return torch.stack([each.curve(grid) for each in parts]).amax(0)


def together(name: str, parts: Iterable[Found]) -> Found:
    """What several attacks found, as if one had: its envelope is the worst case."""
    found = list(parts)
    return Found(
        name,
        images=torch.cat([each.images for each in found], 1),
        reconstruction=torch.cat([each.reconstruction for each in found], 1),
        distortion=torch.cat([each.distortion for each in found], 1),
        success=torch.cat([each.success for each in found], 1),
        damage=torch.cat([each.damage for each in found], 1),
        evaluations=sum(each.evaluations for each in found),
    )


@dataclass(frozen=True, eq=False)
class Subject:
    """A model and P pairs of images.

    Attributes:
        model: what is attacked.
        source: x, (P, C, H, W).
        target: x_t, likewise.
        bounds: of the data.
    """

    model: Attackable
    source: Tensor
    target: Tensor
    bounds: tuple[float, float]

    @cached_property
    def source_reconstruction(self) -> Tensor:
        """rec(x), (P, C, H, W)."""
        return reconstruct(self.model, self.source)

    @cached_property
    def target_reconstruction(self) -> Tensor:
        """rec(x_t), (P, C, H, W)."""
        return reconstruct(self.model, self.target)

    @cached_property
    def apart(self) -> Tensor:
        """‖x_t − x‖, (P,), in the data's units."""
        return metrics.distance(self.target, self.source)

    @cached_property
    def finite(self) -> Tensor:
        """Whether the model says something finite of both images, (P,)."""
        both = torch.stack([self.source_reconstruction, self.target_reconstruction], 1)
        return both.flatten(1).isfinite().all(1)

    @cached_property
    def defined(self) -> Tensor:
        """Whether success means something: encoding the target brings the reconstruction nearer to it, (P,)."""
        clean = self.source_reconstruction
        return self.finite & metrics.success_is_defined(clean, self.target_reconstruction, self.target)

    def judge(self, name: str, images: Tensor, evaluations: int = 0) -> Found:
        """What the model makes of images (P, K, C, H, W)."""
        made = reconstruct(self.model, images.flatten(0, 1)).view_as(images)
        clean = self.source_reconstruction
        success = metrics.attack_success(made, clean, self.target_reconstruction, self.target)
        damage = metrics.distance(made, clean)
        return Found(
            name,
            images=images,
            reconstruction=made,
            distortion=metrics.distance(images, self.source) / self.apart[:, None],
            success=success.nan_to_num(0.0, 0.0, 0.0),
            damage=damage.nan_to_num(0.0, 0.0, 0.0),
            evaluations=evaluations,
        )
