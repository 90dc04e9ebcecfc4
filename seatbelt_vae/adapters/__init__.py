"""Models of others as models that can be attacked: a file for each way in which they come."""

from seatbelt_vae.adapters.factory import load_factory
from seatbelt_vae.adapters.wrap import wrap
from seatbelt_vae.adapters.wrapped import Wrapped

__all__ = ["Wrapped", "load_factory", "wrap"]
