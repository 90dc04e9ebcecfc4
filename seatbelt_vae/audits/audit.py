"""One call: probe, attack, compare with controls, flag, and say how robust the model is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any, Self

import torch
from torch import Tensor

from seatbelt_vae.attacks import Attackable
from seatbelt_vae.attacks.evaluation.copies import plain_copy
from seatbelt_vae.attacks.part import check_count
from seatbelt_vae.attacks.protocol import place
from seatbelt_vae.attacks.setup import check_images
from seatbelt_vae.audits.facts import Facts, answered, examine
from seatbelt_vae.audits.flags import Evidence, look_for
from seatbelt_vae.audits.gather import Plan, gather
from seatbelt_vae.audits.images import Drawn, Images, draw
from seatbelt_vae.audits.memory import Memory
from seatbelt_vae.audits.probe import Probe
from seatbelt_vae.audits.record import AuditRecord, FlagRecord, read
from seatbelt_vae.audits.steady import DRAWS, Steady
from seatbelt_vae.audits.subject import Subject, together
from seatbelt_vae.audits.suite import RADII, suite_of
from seatbelt_vae.audits.verdict import judge
from seatbelt_vae.audits.whitebox import tried
from seatbelt_vae.audits.write import documented, summary
from seatbelt_vae.notebook import rich
from seatbelt_vae.progress import terminal
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors

SHOWN = torch.tensor([0.1, 0.2, 0.3, 0.5])
"""Relative distortions at which the worst images are kept."""

DOCUMENT = "audit.json"
TENSORS = "audit.safetensors"


@dataclass(frozen=True, eq=False, repr=False)
class Audit:
    """How robust a model is, and what speaks against that figure.

    Attributes:
        record: everything but images, as the JSON document has it.
        tensors: images and reconstructions by name: ``source``, ``target``, ``worst`` (P, 4, C, H, W) at the relative
            distortions .1, .2, .3 and .5, and those of each attack.
    """

    record: AuditRecord
    tensors: Mapping[str, Tensor]

    @property
    def flags(self) -> dict[str, FlagRecord]:
        """Every sign of false robustness that was looked for, by name."""
        return self.record.flags

    @property
    def raised(self) -> list[str]:
        """The flags that speak against the numbers."""
        return [name for name, flag in self.flags.items() if flag.raised and not flag.information]

    def __str__(self) -> str:
        """Fifteen lines at most."""
        return "\n".join(summary(self.record))

    __repr__ = __str__

    def _repr_html_(self) -> str:
        """The same in a notebook, with the worst images by relative distortion, and what the model makes of them."""
        pictures = {"source": self.tensors["source"], "rec(x)": self.tensors["source_reconstruction"]}
        for limit in (0, -1):
            share = f"{SHOWN[limit]:.1f}"
            pictures[f"worst x*, {share}"] = self.tensors["worst"][:, limit]
            pictures[f"rec(x*), {share}"] = self.tensors["worst_reconstruction"][:, limit]
        pictures["target"] = self.tensors["target"]
        return rich(str(self), pictures=pictures, bounds=self.record.probe.bounds)

    def save(self, folder: str | Path) -> Path:
        """Write ``audit.json`` and ``audit.safetensors``; returns the path of the document.

        Raises:
            RunError: the folder cannot be written.
        """
        write_tensors(Path(folder) / TENSORS, self.tensors)
        return write_json(Path(folder) / DOCUMENT, self.record.model_dump(mode="json"))

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read what :meth:`save` wrote.

        Raises:
            InputError: a file is missing, corrupt, or not of an audit of this version.
        """
        path = Path(folder) / DOCUMENT
        return cls(read(read_json(path), str(path)), read_tensors(Path(folder) / TENSORS))


def audit(
    model: Attackable,
    images: Images,
    *,
    suite: str = "quick",
    pairs: int = 10,
    siblings: Sequence[Attackable] = (),
    seed: int = 0,
    bounds: tuple[float, float] | None = None,
    memory: float = 2**30,
    progress: bool = False,
    train_images: Images | None = None,
) -> Audit:
    """Attack a model in every way of a suite, and say how robust it is and whether that can be trusted.

    For each pair and each distortion the worst case over all attacks counts, judged by the images that the model makes.
    A model that is random, mixes the images of a batch, gives NaN or no gradient is not refused: a flag says so.

    Args:
        model: anything with ``encode`` and ``decode``; see :func:`seatbelt_vae.attack` and `seatbelt_vae.adapters`.
        images: a data set, pairs, or a float tensor (N, C, H, W), of volumes (N, C, D, H, W), of signals (N, C, T);
            which the model was not trained on.
        suite: "quick" (a minute for 10 pairs of 64×64), "full", or "signs" for the flags that need no attack.
        pairs: how many pairs of images.
        siblings: other models of the same images; attacks on them are tried on the model.
        seed: of pairs, starts and random directions.
        bounds: of a tensor's values, (0, 1) if not given; a data set has its own.
        memory: bytes that attacks may take.
        progress: say on stderr what was understood and how long it will take, and show a bar.
        train_images: images that the model was trained on, to see whether it only remembers them.

    Raises:
        InputError: images of another shape than the model takes or out of bounds, too few of them, an unknown suite.

    References:
        Croce & Hein 2020, AutoAttack. Pintor et al. 2022, Indicators of attack failure. Carlini et al. 2019.

    Example:
        >>> from seatbelt_vae.models import vae
        >>> _ = torch.manual_seed(0)
        >>> model = vae((1, 28, 28), latent_sizes=(2,), network="mlp", hidden_sizes=(8,))
        >>> found = audit(model, torch.rand(4, 1, 28, 28), suite="signs", pairs=2)
        >>> found.flags["encoder_random"].raised
        False
    """
    entries = suite_of(suite)
    check_count("pairs", pairs)
    began = perf_counter()
    drawn = draw(images, pairs, seed, bounds)
    check_images(drawn.source, drawn.target, drawn.bounds)
    copied = plain_copy(model)
    speaks = answered(copied, drawn.source) & answered(copied, drawn.target)
    spoken = drawn.of(speaks)
    asked = torch.cat([spoken.source, spoken.target])  # of one pair, too, there is a spread
    facts = examine(copied, model, asked, silent=1 - float(speaks.double().mean()))
    subject = _subject(copied, facts, spoken)
    plan = Plan(entries, siblings, seed, memory)
    posed = plan.posed(subject)
    probe = Probe.of(facts, posed, entries, drawn.bounds, len(subject.source))
    if progress:
        terminal().print("\n".join(probe.lines()), highlight=False)
    with plan.stages(progress) as advance:
        evidence = gather(subject, facts, posed, plan, advance)
    evidence = replace(evidence, memory=_memory(subject, drawn, train_images))
    flags = look_for(evidence)
    radii = torch.tensor(RADII) * float(subject.apart.median())
    verdict = judge(evidence, flags, drawn.known, radii)
    record = documented(
        evidence,
        probe,
        flags,
        verdict,
        model=_name(model),
        suite=suite,
        seed=seed,
        images_digest=drawn.digest,
        seconds=perf_counter() - began,
    )
    return Audit(record, _tensors(evidence))


def _name(model: Any) -> str:
    return str(getattr(model, "name", type(model).__name__))


def _subject(model: Attackable, facts: Facts, drawn: Drawn) -> Subject:
    """The model as a function of each image, and its pairs."""
    source = place(model, drawn.source).cpu()
    target = place(model, drawn.target).cpu()
    if facts.random or facts.mixes:
        company = drawn.target[:2] if facts.mixes else drawn.target[:0]
        draws = DRAWS if facts.random else 1
        model = Steady(model, place(model, company), draws)
    return Subject(model, source, target, drawn.bounds)


def _memory(subject: Subject, drawn: Drawn, train_images: Images | None) -> Memory | None:
    """Images at hand against those of the training, if there are any, and the model speaks of them."""
    if train_images is None:
        return None
    trained_on = draw(train_images, 1, 0, drawn.bounds).known
    return tried(lambda: Memory.of(subject.model, drawn.known, trained_on), lambda failure: None)


def _tensors(evidence: Evidence) -> dict[str, Tensor]:
    subject = evidence.subject
    pairs = len(subject.source)
    worst = together("worst", [evidence.worst.best_within(limit.expand(pairs)) for limit in SHOWN])
    tensors = {
        "source": subject.source,
        "target": subject.target,
        "source_reconstruction": subject.source_reconstruction,
        "target_reconstruction": subject.target_reconstruction,
        "worst": worst.images,
        "worst_reconstruction": worst.reconstruction,
        "worst_distortion": worst.distortion,
        "worst_success": worst.success,
    }
    for each in evidence.attempts:
        if each.found is not None:
            tensors[f"{each.entry.name}.images"] = each.found.images
            tensors[f"{each.entry.name}.reconstruction"] = each.found.reconstruction
    return tensors
