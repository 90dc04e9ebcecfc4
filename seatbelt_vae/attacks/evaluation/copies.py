"""Fast evaluation of a frozen model: the same function, with what only training needs taken out."""

import copy
from collections.abc import Iterator
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from seatbelt_vae.attacks.protocol import Attackable, to_evaluation
from seatbelt_vae.errors import InputError
from seatbelt_vae.models.networks import ConvDecoder, ConvFeatures

FEW_CHANNELS = 4


def plain_copy(model: Attackable) -> Attackable:
    """A copy of a model for attacks: frozen, in evaluation mode.

    Args:
        model: anything attackable; what is no ``nn.Module`` is returned as it is, in whatever mode it is.

    Returns:
        A model of the same class that shares nothing with the first.

    Raises:
        InputError: it cannot be copied.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> plain_copy(vae((1, 32, 32))).training
        False
    """
    if not isinstance(model, nn.Module):
        return model
    computed = {}  # tensors with a history, which deepcopy refuses
    for module in model.modules():
        for tensor in _tensors(vars(module)):
            if not tensor.is_leaf:
                computed[id(tensor)] = tensor.detach().clone()
    try:
        with torch.no_grad():  # or the weights of a scripted module would be computed ones
            copied: Any = copy.deepcopy(model, computed)
    except (RuntimeError, TypeError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"model: cannot be copied ({reason}); attacks work on a copy") from error
    to_evaluation(copied)
    attackable: Attackable = copied.requires_grad_(False)
    return attackable


def _tensors(value: Any) -> Iterator[Tensor]:
    """The tensors in dictionaries, lists and tuples."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, dict):
        yield from _tensors(list(value.values()))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def fast_copy(model: Attackable) -> Attackable:
    """A `plain_copy` with batch norm folded, channels last, GEMM + fold.

    Outputs and input gradients are those of the model up to rounding, where it calls its layers as modules and does not
    look into them: see `verified`. Half of the time of an attack on a plain model goes into the gradient of the first
    convolution to its one or three input channels; as a matrix product and a fold that is an order of magnitude faster
    on a CPU. Our own networks store channels last, which saves another tenth to a fifth; foreign ones stay as they are,
    since theirs may rely on the order of the memory.

    Args:
        model: anything attackable; what is no ``nn.Module`` is returned as it is.

    Returns:
        A model of the same class that shares nothing with the first.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> model, x = vae((1, 32, 32)).eval(), torch.rand(2, 1, 32, 32)
        >>> torch.allclose(fast_copy(model).encode(x)[0].loc, model.encode(x)[0].loc, atol=1e-5)
        True
    """
    fast: Any = plain_copy(model)
    if not isinstance(model, nn.Module):
        return model
    for parent in list(fast.modules()):
        if isinstance(parent, nn.Sequential) and type(parent).forward is nn.Sequential.forward:
            fold_batch_norms(parent)
    for parent in list(fast.modules()):
        if isinstance(parent, ConvFeatures | ConvDecoder) and on_cpu(parent):
            parent.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        for name, child in parent.named_children():
            if on_cpu(child) and suits(child):
                setattr(parent, name, FewChannelConv2d(child))
    attackable: Attackable = fast
    return attackable


def on_cpu(module: nn.Module) -> bool:
    """Whether a module's parameters are in the memory of the CPU; that of one without parameters is, too."""
    return next(module.parameters(), torch.empty(0)).device.type == "cpu"


def fold_batch_norms(sequence: nn.Sequential) -> None:
    """Fold every batch norm that directly follows a convolution into it, in place."""
    for i in range(len(sequence) - 1):
        layer, norm = sequence[i], sequence[i + 1]
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and isinstance(norm, nn.BatchNorm2d):
            transposed = isinstance(layer, nn.ConvTranspose2d)
            if not as_built(layer, norm) or norm.running_var is None:
                continue
            if transposed and layer.groups > 1:
                continue
            sequence[i] = fuse_conv_bn_eval(layer, norm, transpose=transposed)
            sequence[i + 1] = nn.Identity()


def suits(module: nn.Module) -> bool:
    """Whether a module is a plain convolution from a few channels, whose input gradient is worth rewriting."""
    return (
        type(module) is nn.Conv2d
        and module.in_channels <= FEW_CHANNELS
        and module.groups == 1
        and module.padding_mode == "zeros"
        and not isinstance(module.padding, str)
    )


def as_built(*modules: nn.Module) -> bool:
    """Whether modules are PyTorch's own, with no hook on them and no parametrization."""
    own = all(type(each).__module__.startswith("torch.nn.modules.") for each in modules)
    return own and not any(each._forward_hooks or each._forward_pre_hooks for each in modules)


class FewChannelConv2d(nn.Conv2d):
    """A convolution with the same output, whose gradient to its input is one matrix product and one fold.

    Args:
        conv: the convolution; its weights and hooks are used as they are, and get no gradient.

    Example:
        >>> conv = nn.Conv2d(1, 8, 4, stride=2, padding=1)
        >>> FewChannelConv2d(conv)(torch.zeros(1, 1, 8, 8)).shape
        torch.Size([1, 8, 4, 4])
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        nn.Module.__init__(self)
        self.__dict__.update(conv.__dict__)

    def forward(self, input: Tensor) -> Tensor:
        """The convolution of images (B, C, H, W)."""
        out: Tensor = _Convolve.apply(input, self)
        return out


class _Convolve(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, conv: nn.Conv2d) -> Tensor:
        ctx.conv = conv
        ctx.size = x.shape[-2:]
        return F.conv2d(x, conv.weight, conv.bias, conv.stride, conv.padding, conv.dilation)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        conv = ctx.conv
        patches = conv.weight.flatten(1).T @ gradients[0].flatten(2)
        images = F.fold(patches, ctx.size, conv.kernel_size, conv.dilation, conv.padding, conv.stride)
        return images, None
