"""Pure numerics: batched bounded minimisation, one problem a row, and paths over a penalty. Knows no model."""

from seatbelt_vae.optim.ball import Norm, solve_ball
from seatbelt_vae.optim.cold import solve_cold
from seatbelt_vae.optim.lbfgsb import minimise
from seatbelt_vae.optim.path import SOLVERS, follow_path, solve
from seatbelt_vae.optim.penalty import PathSolution, Penalty
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.optim.solution import Solution, Status

__all__ = [
    "SOLVERS",
    "Norm",
    "PathSolution",
    "Penalty",
    "Solution",
    "Status",
    "follow_path",
    "minimise",
    "minimise_adam",
    "minimise_scipy",
    "solve",
    "solve_ball",
    "solve_cold",
]
