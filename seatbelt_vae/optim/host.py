"""What lives on the host: numbers of which a row has one, as NumPy arrays; vectors of n numbers stay on the device.

A decision costs a microsecond there. On the device it would cost a launch, and a wait for the answer.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seatbelt_vae.optim.problem import wide

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Marks = NDArray[np.bool_]


def read(*numbers: Tensor) -> Floats:
    """Tensors of one shape, one beside the other on the host, in float64: the device is waited for once.

    Example:
        >>> read(torch.ones(2), torch.zeros(2))
        array([[1., 1.],
               [0., 0.]])
    """
    dtype = wide(numbers[0].device)
    together = torch.stack([each.to(dtype) for each in numbers])
    return np.asarray(together.cpu().numpy(), dtype=np.float64)


def send(numbers: NDArray[Any], like: Tensor) -> Tensor:
    """An array on the device of a tensor; floats get its dtype, too.

    Example:
        >>> send(np.ones(1), torch.zeros(1))
        tensor([1.])
    """
    sent = torch.from_numpy(numbers)
    if sent.is_floating_point():
        sent = sent.to(like.dtype)  # first: not every device has float64
    return sent.to(like.device)
