"""Amplification: how much farther a reconstruction moves than the image did."""

from torch import Tensor

from seatbelt_vae.errors import InputError


def amplification(damage: Tensor, radii: Tensor) -> Tensor:
    r"""Largest change of the reconstruction within a ball, over its radius: lower is more robust. No unit.

    .. math:: \max_{\|d\| \le \epsilon} \|rec(x + d) - rec(x)\| / \epsilon

    A larger ball holds the smaller ones, so the damage found in one counts in all larger ones. The identity has 1.

    Args:
        damage: ‖rec(x + d) − rec(x)‖ of the strongest attack in each ball, shape (P, K).
        radii: ε of the balls in the unit of the images, shape (K,).

    Returns:
        Shape (P, K), in the order of `radii`.

    Raises:
        InputError: the shapes do not match, or a radius is not above 0.

    Example:
        >>> import torch
        >>> amplification(torch.tensor([[1.0, 1.5, 1.2]]), torch.tensor([0.5, 1.0, 2.0]))
        tensor([[2.0000, 1.5000, 0.7500]])
    """
    if damage.dim() != 2 or radii.shape != damage.shape[1:]:
        raise InputError(
            f"damage of shape {tuple(damage.shape)} and radii of shape {tuple(radii.shape)}; expected (P, K) and (K,)"
        )
    if not (radii > 0).all():
        raise InputError("radii: one is not above 0")
    order = radii.argsort()
    largest = damage[:, order].cummax(-1).values
    return largest[:, order.argsort()] / radii
