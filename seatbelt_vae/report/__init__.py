"""What people see: figures, tables and one offline page about trained models and the attacks on them."""

from seatbelt_vae.report.clean import clean_tables
from seatbelt_vae.report.damage import DamageComparison, DamageTrial, damage_comparisons, damage_table
from seatbelt_vae.report.html import page
from seatbelt_vae.report.layers import LayerComparison, layer_comparisons, layer_table
from seatbelt_vae.report.matching import comparisons
from seatbelt_vae.report.panel_drawing import panels_image, panels_svg
from seatbelt_vae.report.panels import PanelRow, Panels, panels
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial
from seatbelt_vae.report.summary import summary
from seatbelt_vae.report.table_formats import to_csv, to_html, to_latex, to_markdown
from seatbelt_vae.report.tables import Cell, Column, Table, attack_table, objective_table
from seatbelt_vae.report.write import write_report

__all__ = [
    "Cell",
    "Column",
    "Comparison",
    "DamageComparison",
    "DamageTrial",
    "LayerComparison",
    "PanelRow",
    "Panels",
    "ReportRun",
    "Table",
    "Trial",
    "attack_table",
    "clean_tables",
    "comparisons",
    "damage_comparisons",
    "damage_table",
    "layer_comparisons",
    "layer_table",
    "objective_table",
    "page",
    "panels",
    "panels_image",
    "panels_svg",
    "summary",
    "to_csv",
    "to_html",
    "to_latex",
    "to_markdown",
    "write_report",
]
