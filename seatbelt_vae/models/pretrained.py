"""Models on disk and on the hub: a JSON recipe and safetensors, nothing pickled."""

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from huggingface_hub import ModelCard, ModelHubMixin
from torch import nn

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.storage import read_json, read_tensors, write_json, write_tensors

CONFIG = "config.json"
LICENSE = "apache-2.0"
WEIGHTS = "model.safetensors"
CARD = """---
{{ card_data }}
---

# {{ model }} for images of {{ image_shape }}

A variational autoencoder of [Seatbelt](https://pypi.org/project/seatbelt-vae).
Latents, bottom layer first: {{ latent_sizes }}. Likelihood: {{ likelihood }}. Posterior: {{ posterior }}.

```python
from seatbelt_vae import HierarchicalVAE

model = HierarchicalVAE.from_pretrained("{{ repo_id }}")
```
{{ measured }}"""


class Pretrained(
    ModelHubMixin,
    library_name="seatbelt-vae",
    license=LICENSE,
    tags=["variational-autoencoder", "adversarial-robustness"],
    model_card_template=CARD,
):
    """What can be saved, loaded and shared: a module with a recipe, name and arguments, of which it is built."""

    recipe: dict[str, Any] | None

    @classmethod
    def of(cls, name: str, image_shape: Sequence[int], **settings: Any) -> Self:
        """Build the module that a name and its settings describe."""
        raise NotImplementedError

    def save_pretrained(  # type: ignore[override]  # ours says where, and writes atomically
        self,
        folder: str | Path,
        *,
        config: Any = None,
        model_card_kwargs: dict[str, Any] | None = None,
    ) -> Path:
        """Write ``config.json`` and ``model.safetensors``, of which `from_pretrained` makes the same model.

        Args:
            folder: where to.
            config: ignored, as the recipe says all; the hub's client gives it.
            model_card_kwargs: what a model card says; None writes none.

        Raises:
            InputError: the model was not built by a factory of this library, so no recipe describes it.
            RunError: the folder cannot be written.
        """
        if self.recipe is None:
            raise InputError("this model has no recipe: build it with a factory of seatbelt_vae.models to save it")
        folder = Path(folder)
        assert isinstance(self, nn.Module)
        write_tensors(folder / WEIGHTS, self.state_dict())
        version = importlib.metadata.version("seatbelt-vae")
        write_json(folder / CONFIG, {"library": "seatbelt-vae", "version": version, **self.recipe})
        if model_card_kwargs is not None:
            self.generate_model_card(**model_card_kwargs).save(folder / "README.md")
        return folder

    def generate_model_card(self, *args: Any, license: str = LICENSE, **words: Any) -> ModelCard:
        """The model's card, with the licence of its weights."""
        card = super().generate_model_card(*args, **words)
        card.data["license"] = license
        return card

    def push_to_hub(self, repo_id: str, *, measured: str = "", license: str = LICENSE, **options: Any) -> str:
        """Share the model on the Hugging Face hub, with a card that says what it is.

        Args:
            repo_id: ``owner/name``.
            measured: Markdown for the card, such as that of :func:`seatbelt_vae.report.card.measured`.
            license: of the weights, by its name on the hub, such as ``mit``.
            options: ``private``, ``token``, ``branch``, ``commit_message`` … of `huggingface_hub.ModelHubMixin`.

        Returns:
            The commit's address.

        Raises:
            InputError: the model has no recipe.
            RunError: the hub does not answer, or refuses.
        """
        card = {**self.card(repo_id, measured), "license": license}
        try:
            return super().push_to_hub(repo_id, model_card_kwargs=card, **options)
        except (InputError, RunError):
            raise
        except Exception as error:  # the hub client's errors have no common base
            raise RunError(f"{repo_id}: could not be pushed ({_first_line(error)})") from error

    def card(self, repo_id: str, measured: str = "") -> dict[str, Any]:
        """What a model card says: `model_card_kwargs` of `save_pretrained`."""
        recipe = self.recipe or {"arguments": {}}
        return {"model": recipe.get("model"), "repo_id": repo_id, "measured": measured, **recipe["arguments"]}

    @classmethod
    def from_pretrained(  # type: ignore[override]  # the hub's own reads config.json without a check
        cls, folder_or_hub_id: str | Path, *, network: Any = None, **hub: Any
    ) -> Self:
        """Rebuild a saved model in evaluation mode, from a folder or from the Hugging Face hub.

        Args:
            folder_or_hub_id: a folder that `save_pretrained` wrote, or ``owner/name``.
            network: (encoder, decoder), where the model was made with modules of your own.
            hub: ``revision``, ``token``, ``cache_dir``, ``local_files_only`` … of `huggingface_hub.snapshot_download`.

        Raises:
            InputError: nothing is there, or the files are not of a model of this library.
        """
        folder = Path(folder_or_hub_id)
        if not folder.is_dir():
            folder = _fetch(str(folder_or_hub_id), hub)
        name, arguments = recipe_of(folder / CONFIG)
        if network is not None:
            arguments["network"] = network
        if arguments.get("network") == "custom":
            raise InputError(f"{folder}: was built with networks of your own; pass network=(encoder, decoder)")
        try:
            model = cls.of(name, **arguments)
        except InputError as error:
            raise InputError(f"{folder / CONFIG}: {error}") from error
        assert isinstance(model, nn.Module)
        _load_weights(model, folder / WEIGHTS)
        return model.eval()


def saved(folder: Path) -> bool:
    """Whether a folder holds a model."""
    return (folder / CONFIG).exists() and (folder / WEIGHTS).exists()


def recipe_of(path: Path) -> tuple[str, dict[str, Any]]:
    """A model's name and arguments out of its config.json.

    Raises:
        InputError: it is missing, corrupt, or of something else.
    """
    config = read_json(path)
    if not isinstance(config, dict) or config.get("library") != "seatbelt-vae" or "model" not in config:
        raise InputError(f"{path}: does not describe a seatbelt-vae model")
    arguments = config.get("arguments")
    if not isinstance(arguments, dict) or "image_shape" not in arguments or "name" in arguments:
        raise InputError(f"{path}: arguments must be a table with image_shape and the factory's other arguments")
    return config["model"], arguments


def _load_weights(model: nn.Module, path: Path) -> None:
    """Copy weights into a model. What is one tensor in it stays one; every weight has the dtype of its file."""
    weights = read_tensors(path)
    try:
        for name, tensor in model.state_dict(keep_vars=True).items():
            if name in weights:
                tensor.data = tensor.data.to(weights[name].dtype)
        model.load_state_dict(weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{path}: does not fit its config.json ({reason})") from error


def _fetch(hub_id: str, options: dict[str, Any]) -> Path:
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(hub_id, allow_patterns=[CONFIG, WEIGHTS], **options))
    except Exception as error:  # the hub client's errors have no common base
        raise InputError(f"{hub_id}: no such folder, and the hub does not have it ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
