"""What people see: figures, tables and one offline page about trained models and the attacks on them."""

from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.table import Cell, Column, Line, Table
from seatbelt_vae.report.tables import attack_table, clean_tables
from seatbelt_vae.report.write import write_report

__all__ = [
    "Cell",
    "Column",
    "Group",
    "Line",
    "Table",
    "Trial",
    "attack_table",
    "clean_tables",
    "groups",
    "write_report",
]
