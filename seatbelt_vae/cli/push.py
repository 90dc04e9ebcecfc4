"""``seatbelt push``: share a trained model, with a card that says what was measured."""

from pathlib import Path

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.experiments import RunFolder


def command(
    run: Path,
    name: str,
    /,
    *,
    private: bool = False,
    revision: str | None = None,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Share a trained model on the Hugging Face hub, with a card written from its measurements.

    Args:
        run: A run folder.
        name: Where to: owner/name.
        private: For nobody else to see.
        revision: Branch to push to.
        out: Write the files into this folder; nothing is sent.
    """
    from seatbelt_vae.report.card import measured

    folder = RunFolder.open(run)
    model = folder.model()
    words = measured(folder.record())
    if out is None:
        place = model.push_to_hub(name, measured=words, private=private, branch=revision)
    else:
        place = str(model.save_pretrained(out, model_card_kwargs=model.card(name, words)))
    show({"pushed": place}, json, [f"model and card: {place}"])
