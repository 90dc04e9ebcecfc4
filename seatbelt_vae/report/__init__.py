"""What people see: figures, tables and one offline page about trained models and the attacks on them."""

from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.compare import groups, known_references, labelled, layer_groups
from seatbelt_vae.report.group import Group, Trial
from seatbelt_vae.report.page import page
from seatbelt_vae.report.picture_drawing import pictures_svg
from seatbelt_vae.report.pictures import PictureRow, Pictures, panels, reconstructions
from seatbelt_vae.report.summary import summary
from seatbelt_vae.report.table_formats import to_csv, to_html, to_latex, to_markdown
from seatbelt_vae.report.tables import (
    Cell,
    Column,
    Line,
    Table,
    amplification_table,
    attack_table,
    damage_table,
    layer_table,
    objective_table,
)
from seatbelt_vae.report.write import write_report

__all__ = [
    "Cell",
    "Column",
    "Group",
    "Line",
    "PictureRow",
    "Pictures",
    "Table",
    "Trial",
    "amplification_table",
    "attack_table",
    "clean_tables",
    "damage_table",
    "groups",
    "known_references",
    "labelled",
    "layer_groups",
    "layer_table",
    "objective_table",
    "page",
    "panels",
    "pictures_svg",
    "reconstructions",
    "summary",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "write_report",
]
