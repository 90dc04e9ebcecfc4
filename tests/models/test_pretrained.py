"""Save and load: the same model to the bit, and one line for whatever cannot be loaded."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from seatbelt_vae.errors import InputError, RunError
from seatbelt_vae.models import VARIANTS, GaussianConditional, HierarchicalVAE, build
from seatbelt_vae.models.generative import Decoder, Generative
from seatbelt_vae.models.likelihoods import GaussianLikelihood
from seatbelt_vae.models.posteriors import Chain
from seatbelt_vae.storage import read_tensors, write_tensors
from tests.tiny import network

TINY = (1, 6, 6)
KINDS = [(name, "mlp" if variant.certified else "conv") for name, variant in VARIANTS.items()] + [("vae", "mlp")]


def trained(model: HierarchicalVAE, dtype: torch.dtype) -> HierarchicalVAE:
    """With weights and batch statistics that no other precision can hold."""
    model.to(dtype).train()
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.01 * torch.randn(weight.shape, dtype=dtype))
        model(torch.rand(4, *model.image_shape, dtype=dtype))
    return model.eval()


def outputs(model: HierarchicalVAE, dtype: torch.dtype) -> list[Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(3, *model.image_shape, generator=generator, dtype=dtype)
    encoding = model(x, model.draw_noise(3, generator))
    parts = [part for q in (*encoding.q, *encoding.p) for part in (q.loc, q.scale)]
    return [*parts, *encoding.z, encoding.likelihood.mean, encoding.likelihood.log_prob(x), model.reconstruct(x)]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_a_model_comes_back_to_the_bit(name: str, kind: str, dtype: torch.dtype, tmp_path: Path) -> None:
    sizes = (4, 2) if VARIANTS[name].deep else (4,)
    model = trained(build(name, (1, 28, 28), latent_sizes=sizes, network=kind, hidden_sizes=(8,)), dtype)
    loaded = HierarchicalVAE.from_pretrained(model.save_pretrained(tmp_path / "model"))
    assert not loaded.training
    for key, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[key])
        assert value.dtype == loaded.state_dict()[key].dtype
    assert all(map(torch.equal, outputs(model, dtype), outputs(loaded, dtype)))
    assert all(weight.requires_grad for weight in loaded.parameters())
    assert loaded.recipe == model.recipe


def test_a_loaded_model_saves_the_same_bytes(tmp_path: Path) -> None:
    model = trained(build("seatbelt", (1, 28, 28), latent_sizes=(4, 2), hidden_sizes=(8,)), torch.float32)
    first = model.save_pretrained(tmp_path / "a")
    second = HierarchicalVAE.from_pretrained(first).save_pretrained(tmp_path / "b")
    for name in ("config.json", "model.safetensors"):
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_networks_of_ones_own_have_to_be_passed_again(dtype: torch.dtype, tmp_path: Path) -> None:
    model = trained(build("seatbelt", TINY, latent_sizes=(4, 2), network=network(TINY, 6), hidden_sizes=(8,)), dtype)
    folder = model.save_pretrained(tmp_path)
    with pytest.raises(InputError, match=r"networks of your own; pass network=\(encoder, decoder\)"):
        HierarchicalVAE.from_pretrained(folder)
    loaded = HierarchicalVAE.from_pretrained(folder, network=network(TINY, 6))
    assert all(map(torch.equal, outputs(model, dtype), outputs(loaded, dtype)))
    encoder, decoder = network(TINY, 6)
    with pytest.raises(InputError, match=r"model\.safetensors: does not fit its config\.json"):
        HierarchicalVAE.from_pretrained(folder, network=(nn.Sequential(encoder, nn.Linear(6, 5)), decoder))


def test_a_model_put_together_by_hand_has_no_recipe(tmp_path: Path) -> None:
    decoder = Decoder(nn.Sequential(nn.Linear(2, 4), nn.Unflatten(1, (1, 2, 2))), GaussianLikelihood(), sees_all=True)
    posterior = Chain(nn.Flatten(), [GaussianConditional(nn.Linear(4, 4))])
    model = HierarchicalVAE(posterior, Generative([2], []), decoder, image_shape=(1, 2, 2))
    with pytest.raises(InputError, match="no recipe: build it with a factory"):
        model.save_pretrained(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return build("vae", (1, 28, 28), latent_sizes=(2,), network="conv").save_pretrained(tmp_path / "model")


def rewrite(folder: Path, **changes: Any) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        HierarchicalVAE.from_pretrained(folder)
    assert "\n" not in str(caught.value)
    return str(caught.value)


ARGUMENTS = {"image_shape": [1, 28, 28], "latent_sizes": [2], "network": "conv"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"library": "another"}, "does not describe a seatbelt-vae model"),
        ({"model": "gan"}, "model: 'gan' is unknown, use one of vae, "),
        ({"model": ["vae"]}, "model: ['vae'] is unknown (did you mean vae?)"),
        ({"arguments": None}, "arguments must be a table"),
        ({"arguments": [1, 2]}, "arguments must be a table"),
        ({"arguments": {}}, "arguments must be a table with image_shape"),
        ({"arguments": {**ARGUMENTS, "colour": True}}, "unexpected keyword argument 'colour'"),
        ({"arguments": {**ARGUMENTS, "image_shape": 28}}, "image shape 28"),
        ({"arguments": {**ARGUMENTS, "image_shape": [1, 28.0, 28.0]}}, "three positive whole numbers"),
        ({"arguments": {**ARGUMENTS, "image_shape": "128"}}, "three positive whole numbers"),
        ({"arguments": {**ARGUMENTS, "latent_sizes": 2}}, "latent_sizes 2: must be one positive whole number"),
        ({"arguments": {**ARGUMENTS, "latent_sizes": [2.5]}}, "latent_sizes [2.5]"),
        ({"arguments": {**ARGUMENTS, "latent_sizes": [True]}}, "latent_sizes [True]"),
        ({"arguments": {**ARGUMENTS, "latent_sizes": []}}, "latent_sizes []"),
        ({"arguments": {**ARGUMENTS, "latent_sizes": [4, 2]}}, "layers: vae has one layer, not 2"),
        ({"arguments": {**ARGUMENTS, "latent_sizes": [3]}}, "does not fit its config.json"),
        ({"arguments": {**ARGUMENTS, "network": "resnet"}}, "network 'resnet'"),
        ({"arguments": {**ARGUMENTS, "network": 3}}, "network: must be one of conv, mlp, tiny, or a pair of modules"),
        ({"arguments": {**ARGUMENTS, "network": "mlp"}}, "does not fit its config.json"),
        ({"arguments": {**ARGUMENTS, "likelihood": "poisson"}}, "likelihood 'poisson'"),
        ({"arguments": {**ARGUMENTS, "likelihood": ["bernoulli"]}}, "likelihood ['bernoulli']"),
        ({"arguments": {**ARGUMENTS, "posterior": "flow"}}, "posterior 'flow'"),
        ({"arguments": {**ARGUMENTS, "hidden_sizes": [0]}}, "hidden_sizes [0]"),
    ],
    ids=lambda value: None if isinstance(value, str) else json.dumps(value),
)
def test_a_bad_config_is_one_line(saved: Path, changes: dict[str, Any], message: str) -> None:
    rewrite(saved, **changes)
    error = refused(saved)
    assert message in error
    assert str(saved) in error


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "\x00\xff"])
def test_a_corrupt_config_is_one_line(saved: Path, text: str) -> None:
    (saved / "config.json").write_bytes(text.encode("latin-1"))
    assert "config.json" in refused(saved)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_missing_file_is_one_line(saved: Path, name: str) -> None:
    (saved / name).unlink()
    assert f"{name}: cannot be read" in refused(saved)


def test_corrupt_weights_are_one_line(saved: Path) -> None:
    weights = saved / "model.safetensors"
    whole = weights.read_bytes()
    for broken in (b"", b"no tensors", whole[: len(whole) // 2], b"\xff" * 100):
        weights.write_bytes(broken)
        assert "is not a valid safetensors file" in refused(saved)


def test_weights_of_another_model_are_one_line(saved: Path) -> None:
    path = saved / "model.safetensors"
    weights = read_tensors(path)
    name = "posterior.conditionals.0.network.weight"
    weight = weights[name]
    replacements: list[dict[str, Tensor]] = [
        {},
        {"other": torch.zeros(2)},
        {**weights, name: weight[..., :1]},
        {**weights, "more": weight},
        {**weights, name: weight.to(torch.int64)},
    ]
    for replacement in replacements:
        write_tensors(path, replacement)
        assert "does not fit its config.json" in refused(saved)


def test_a_name_that_is_neither_folder_nor_repository(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def offline(*args: Any, **settings: Any) -> str:
        raise OSError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.snapshot_download", offline)
    error = refused(tmp_path / "nothing")
    assert "no such folder, and the hub does not have it (no route)" in error


def test_the_hub_hands_over_a_folder(monkeypatch: pytest.MonkeyPatch, saved: Path) -> None:
    asked: list[Any] = []

    def download(name: str, allow_patterns: list[str]) -> str:
        asked.append((name, allow_patterns))
        return str(saved)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    assert HierarchicalVAE.from_pretrained("owner/name").latent_sizes == (2,)
    assert asked == [("owner/name", ["config.json", "model.safetensors"])]


class Tied(nn.Module):
    """A decoder whose last weight is the encoder's first."""

    def __init__(self, encoder: nn.Linear) -> None:
        super().__init__()
        self.first = nn.Linear(4, 16)
        self.last = nn.Linear(784, 16, bias=False)
        self.last.weight = encoder.weight

    def forward(self, z: Tensor) -> Tensor:
        return (self.first(z) @ self.last.weight).view(-1, 1, 28, 28)


def tied_pair() -> tuple[nn.Module, nn.Module]:
    encoder = nn.Linear(784, 16)
    return nn.Sequential(nn.Flatten(), encoder, nn.ReLU()), Tied(encoder)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_tied_weights_stay_one(dtype: torch.dtype, tmp_path: Path) -> None:
    model = trained(build("vae", (1, 28, 28), latent_sizes=(4,), network=tied_pair()), dtype)
    loaded = HierarchicalVAE.from_pretrained(model.save_pretrained(tmp_path), network=tied_pair())
    sizes = [weight.shape for weight in model.parameters()]
    assert [weight.shape for weight in loaded.parameters()] == sizes
    assert len(sizes) == 6
    assert loaded.likelihood.network.last.weight is loaded.posterior.features[1].weight
    assert all(map(torch.equal, outputs(model, dtype), outputs(loaded, dtype)))


def test_what_the_hub_is_asked(monkeypatch: pytest.MonkeyPatch, saved: Path) -> None:
    asked: dict[str, Any] = {}

    def download(name: str, **options: Any) -> str:
        asked.update(options)
        return str(saved)

    monkeypatch.setattr("huggingface_hub.snapshot_download", download)
    HierarchicalVAE.from_pretrained("owner/name", revision="v1", token="secret")
    assert (asked["revision"], asked["token"]) == ("v1", "secret")


def test_a_pushed_model_has_a_card(monkeypatch: pytest.MonkeyPatch, saved: Path) -> None:
    pushed: dict[str, str] = {}

    class Hub:
        def __init__(self, token: str | None = None) -> None:
            assert token == "secret"

        def create_repo(self, repo_id: str, **options: Any) -> Any:
            return type("Repo", (), {"repo_id": repo_id})

        def upload_folder(self, *, folder_path: Path, **options: Any) -> str:
            for path in Path(folder_path).iterdir():
                pushed[path.name] = path.read_bytes().decode("latin-1")
            return "https://hub/commit"

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", Hub)
    model = HierarchicalVAE.from_pretrained(saved)
    assert model.push_to_hub("owner/name", token="secret") == "https://hub/commit"
    assert sorted(pushed) == ["README.md", "config.json", "model.safetensors"]
    assert "license: apache-2.0" in pushed["README.md"]
    assert 'from_pretrained("owner/name")' in pushed["README.md"]
    assert "Latents, bottom layer first: [2]" in pushed["README.md"]
    assert pushed["model.safetensors"] == (saved / "model.safetensors").read_bytes().decode("latin-1")


def test_a_hub_that_does_not_answer_is_one_line(monkeypatch: pytest.MonkeyPatch, saved: Path) -> None:
    def offline(*args: Any, **settings: Any) -> Any:
        raise OSError("no route\nto host")

    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", offline)
    with pytest.raises(RunError) as caught:
        HierarchicalVAE.from_pretrained(saved).push_to_hub("owner/name")
    assert str(caught.value) == "owner/name: could not be pushed (no route)"


class Folders:
    """A hub in a folder: what is pushed lies under its name and branch."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def __call__(self, token: str | None = None) -> "Folders":
        return self

    def create_repo(self, repo_id: str, **options: Any) -> Any:
        return type("Repo", (), {"repo_id": repo_id})

    def create_branch(self, **options: Any) -> None: ...

    def upload_folder(self, *, repo_id: str, folder_path: Path, revision: str | None = None, **options: Any) -> str:
        return str(shutil.copytree(folder_path, self.root / repo_id / (revision or "main")))

    def snapshot_download(self, name: str, *, revision: str = "main", **options: Any) -> str:
        return str(self.root / name / revision)


def test_pushed_and_loaded_elsewhere_it_is_the_same_to_the_bit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    hub = Folders(tmp_path / "hub")
    monkeypatch.setattr("huggingface_hub.hub_mixin.HfApi", hub)
    monkeypatch.setattr("huggingface_hub.snapshot_download", hub.snapshot_download)
    monkeypatch.chdir(tmp_path)
    models = {}
    for number, branch in enumerate((None, "v2")):
        torch.manual_seed(number)
        settings = {"latent_sizes": (4, 2), "network": "tiny", "hidden_sizes": (8,)}
        models[branch] = trained(build("seatbelt", (1, 28, 28), **settings), torch.float32)
        folder = models[branch].save_pretrained(tmp_path / "saved" / str(branch))
        HierarchicalVAE.from_pretrained(folder).push_to_hub("owner/name", branch=branch)
    shutil.rmtree(tmp_path / "saved")
    for branch, model in models.items():
        asked = {"revision": branch} if branch else {}
        loaded = HierarchicalVAE.from_pretrained("owner/name", **asked)
        assert all(map(torch.equal, outputs(model, torch.float32), outputs(loaded, torch.float32)))
