"""A reproduction of the paper on paper: one document, its numbers as JSON and tables, its figures."""

from seatbelt_vae.report.reproduction.write import Section, write_reproduction

__all__ = ["Section", "write_reproduction"]
