"""The images that a spec names, where they are now."""

from pathlib import Path

from seatbelt_vae.data import ImageDataset, available, load_dataset
from seatbelt_vae.experiments.spec import DataSpec


def open_data(spec: DataSpec) -> ImageDataset:
    """Load the data that a spec names.

    Raises:
        InputError: there is no such data, or an option does not go with it.
    """
    options = spec.model_dump(exclude={"name", "test", "digest"}, exclude_none=True)
    return load_dataset(spec.name, **options)


def located(spec: DataSpec) -> DataSpec:
    """Make the paths of data absolute, so that the run can be taken up from another folder; names stay names."""
    changes = {}
    if spec.name not in dict(available()) and Path(spec.name).exists():
        changes["name"] = str(Path(spec.name).expanduser().resolve())
    if spec.path is not None:
        changes["path"] = str(Path(spec.path).expanduser().resolve())
    return spec.model_copy(update=changes)


def moved_to(spec: DataSpec, place: str) -> DataSpec:
    """The same data at another place: the original of a named data set, or a file or folder."""
    if spec.name in dict(available()):
        return spec.model_copy(update={"path": place})
    return spec.model_copy(update={"name": place})
