"""Pure numerics: batched bounded minimisation. Knows no model."""

from seatbelt_vae.optim.lbfgsb import minimise
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.optim.solution import Solution, Status

__all__ = ["Solution", "Status", "minimise", "minimise_adam", "minimise_scipy"]
