"""What decides a training run beside the model, the data and the objective."""

from dataclasses import dataclass

from seatbelt_vae.errors import InputError
from seatbelt_vae.training.precision import PRECISIONS

NUMBERS = {"steps": int, "batch_size": int, "seed": int, "lr": float, "clip_norm": float}


@dataclass(frozen=True)
class Settings:
    """Length, size and pace of a training run.

    Args:
        steps: number of updates.
        batch_size: examples an update.
        lr: learning rate of the first step; it decays to almost 0.
        seed: of the batches and the noise; in a spec of the first weights too.
        clip_norm: largest norm of the gradient (nats per unit of weight); a larger one is scaled down. None: no limit.
        precision: float32; bfloat16 to run the networks under autocast; or auto, the faster of both on this machine.
        deterministic: refuse operators that may give other bits the next time; slower.

    Raises:
        InputError: a value is out of range.

    Example:
        >>> Settings(steps=100).batch_size
        128
    """

    steps: int = 5000
    batch_size: int = 128
    lr: float = 1e-3
    seed: int = 0
    clip_norm: float | None = 200.0
    precision: str = "float32"
    deterministic: bool = False

    def __post_init__(self) -> None:
        for name, kind in NUMBERS.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, kind(value))  # NumPy's numbers are no JSON
        if self.steps < 1:
            raise InputError(f"steps: {self.steps} is too small, use 1 or more")
        if not 0 <= self.seed < 2**63:
            raise InputError(f"seed: {self.seed} is out of range, use a whole number from 0 to 2^63 - 1")
        check_positive("lr", self.lr)
        if self.clip_norm is not None:
            check_positive("clip_norm", self.clip_norm)
        if self.precision not in PRECISIONS:
            raise InputError(f"precision: {self.precision!r} is unknown, use one of {', '.join(PRECISIONS)}")


def check_positive(name: str, value: float) -> None:
    """Refuse what is no positive, finite number.

    Raises:
        InputError: it is not.

    Example:
        >>> check_positive("lr", 1e-3)
    """
    if not 0 < value < float("inf"):
        raise InputError(f"{name}: {value} is out of range, use a positive number")
