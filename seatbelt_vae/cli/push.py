"""``seatbelt push``: share a trained model, with a card that says what was measured."""

from pathlib import Path

from seatbelt_vae.cli.console import show
from seatbelt_vae.cli.options import Json
from seatbelt_vae.experiments import RunFolder
from seatbelt_vae.models.pretrained import LICENSE


def command(
    run: Path,
    name: str,
    /,
    *,
    private: bool = False,
    revision: str | None = None,
    license: str = LICENSE,
    out: Path | None = None,
    json: Json = False,
) -> None:
    """Share a trained model on the Hugging Face hub, with a card written from its measurements.

    Args:
        run: A run folder.
        name: Where to: owner/name.
        private: For nobody else to see.
        revision: Branch to push to.
        license: Licence of the weights, by its name on the hub, such as mit or cc-by-4.0.
        out: Write the files into this folder; nothing is sent.
    """
    from seatbelt_vae.report.card import measured

    folder = RunFolder.open(run)
    model = folder.model()
    words = measured(folder.record())
    if out is None:
        place = model.push_to_hub(name, measured=words, license=license, private=private, branch=revision)
    else:
        card = {**model.card(name, words), "license": license}
        place = str(model.save_pretrained(out, model_card_kwargs=card))
    show({"pushed": place}, json, [f"model and card: {place}"])
