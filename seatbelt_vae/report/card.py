"""What a model card says of a run: how it was trained, what was measured, how it was attacked."""

from seatbelt_vae.experiments import Record
from seatbelt_vae.report.compare import groups
from seatbelt_vae.report.formats import public
from seatbelt_vae.report.table import to_markdown
from seatbelt_vae.report.tables import attack_table, clean_tables
from seatbelt_vae.report.templating import rendered


def measured(record: Record) -> str:
    """The measurements of one run, for the card of its model.

    Args:
        record: what is known of the run.

    Returns:
        Markdown: a table for each kind of measurement, and one for each attack, with intervals.
    """
    attacks = groups([record])
    tables = [to_markdown(table) for table in clean_tables([record])]
    tables += [to_markdown(attack_table(group)) for group in attacks]
    data = dict(record.settings["data"])
    data["name"] = public(data["name"])
    training = record.settings["training"]
    return rendered("card.md.j2", data=data, training=training, tables=tables, attacked=bool(attacks))
