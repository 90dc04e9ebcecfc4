"""The live page: pick two images, attack a model, move the sliders."""

from seatbelt_vae.explorer.serve import serve

__all__ = ["serve"]
