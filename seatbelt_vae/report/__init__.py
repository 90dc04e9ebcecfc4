"""What people see: figures, tables and one offline page about trained models and the attacks on them."""

from seatbelt_vae.report.html import page
from seatbelt_vae.report.panel_drawing import panels_image, panels_svg
from seatbelt_vae.report.panels import PanelRow, Panels, panels
from seatbelt_vae.report.runs import Comparison, ReportRun, Trial, comparisons
from seatbelt_vae.report.summary import summary
from seatbelt_vae.report.table_formats import to_csv, to_html, to_latex, to_markdown
from seatbelt_vae.report.tables import Cell, Column, Table, attack_table, clean_table
from seatbelt_vae.report.write import write_report

__all__ = [
    "Cell",
    "Column",
    "Comparison",
    "PanelRow",
    "Panels",
    "ReportRun",
    "Table",
    "Trial",
    "attack_table",
    "clean_table",
    "comparisons",
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
