"""Pure numerics: batched bounded minimisation, one problem a row, and paths over a penalty. Knows no model."""

from seatbelt_vae.optim.ball import Norm, solve_ball
from seatbelt_vae.optim.cold import solve_cold
from seatbelt_vae.optim.ddn import solve_ddn
from seatbelt_vae.optim.fmn import solve_fmn
from seatbelt_vae.optim.lbfgsb import minimise, minimise_kinked
from seatbelt_vae.optim.path import PathSettings, follow_path
from seatbelt_vae.optim.penalty import PathSolution
from seatbelt_vae.optim.problem import Problem
from seatbelt_vae.optim.reference import minimise_adam, minimise_scipy
from seatbelt_vae.optim.shrinking import solve_shrinking
from seatbelt_vae.optim.solution import Solution, Status

__all__ = [
    "Norm",
    "PathSettings",
    "PathSolution",
    "Problem",
    "Solution",
    "Status",
    "follow_path",
    "minimise",
    "minimise_adam",
    "minimise_kinked",
    "minimise_scipy",
    "solve_ball",
    "solve_cold",
    "solve_ddn",
    "solve_fmn",
    "solve_shrinking",
]
