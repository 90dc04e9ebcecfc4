"""What leads the page: robustness that is there under the paper's attack and gone under a stronger one."""

from collections.abc import Sequence

from seatbelt_vae.experiments.recipes.attacks import COLD, PATH
from seatbelt_vae.experiments.recipes.verdicts import Verdict, Word

STANDS = (Word.HOLDS, Word.DIRECTION)


def gone_under_path(verdicts: Sequence[Verdict]) -> list[tuple[Verdict, Verdict]]:
    """Claims that stand under cold starts and do not under the walk over λ: a broken attack and not a robust model.

    Args:
        verdicts: of all recipes.

    Returns:
        The verdict under each of the two attacks.
    """
    found = []
    strong = {_key(verdict): verdict for verdict in verdicts if f", {PATH}" in verdict.attack}
    for verdict in verdicts:
        other = strong.get(_key(verdict))
        if f", {COLD}" in verdict.attack and verdict.word in STANDS and other and other.word not in STANDS:
            found.append((verdict, other))
    return found


def _key(verdict: Verdict) -> tuple[str, str, str, str]:
    attack = verdict.attack.replace(f", {PATH}", "").replace(f", {COLD}", "")
    return verdict.claim, verdict.data, attack, verdict.quantity
