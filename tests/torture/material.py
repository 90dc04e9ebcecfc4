"""Tiny files of every format that is read, and tiny runs."""

import io
import json
import os
import signal
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from tests.torture.command import seatbelt

NETWORK = "--model seatbelt --latent-sizes 4,2 --network tiny --hidden-sizes 8"
TRAINING = "--batch-size 16 --test 0.4 --device cpu --checkpoint-every 2 --log-every 1"
TRAIN = f"{NETWORK} {TRAINING}"
EVALUATE = "--measure elbo,active-units,weights --samples 1 --device cpu"
ATTACK = "--pairs 2 --lambdas 0,1 --max-iterations 2 --device cpu"

SWEEP = """
[data]
name = {images}
test = 0.4
[model]
name = "vae"
latent_sizes = [3]
network = "tiny"
hidden_sizes = [8]
[training]
steps = 4
batch_size = 16
seed = [0, 1]
[evaluate]
measures = ["elbo"]
[attack]
pairs = 1
lambdas = [1.0]
max_iterations = 2
"""


def images_npz(path: Path, seed: int = 0, count: int = 40, compressed: bool = False) -> Path:
    """Images of 28×28 with labels and identities."""
    drawn = np.random.default_rng(seed)
    arrays = {
        "images": drawn.integers(0, 256, (count, 28, 28), dtype=np.uint8),
        "labels": np.arange(count) % 4,
        "identity": np.arange(count) // 2,
    }
    save = np.savez_compressed if compressed else np.savez
    save(path, **arrays)
    return path


def dsprites_npz(path: Path, count: int = 24) -> Path:
    """The published layout of dSprites."""
    drawn = np.random.default_rng(0)
    sizes = (1, 3, 6, 40, 32, 32)
    classes = [drawn.integers(0, size, count) for size in sizes]
    np.savez_compressed(
        path,
        imgs=drawn.integers(0, 2, (count, 64, 64), dtype=np.uint8),
        latents_classes=np.stack(classes, axis=1),
        metadata=np.array({"author": "x"}, dtype=object),
    )
    return path


def shapes_h5(path: Path, count: int = 12) -> Path:
    """The published layout of 3D Shapes."""
    import h5py

    drawn = np.random.default_rng(0)
    with h5py.File(path, "w") as file:
        file["images"] = drawn.integers(0, 256, (count, 64, 64, 3), dtype=np.uint8)
        file["labels"] = drawn.integers(0, 4, (count, 6)).astype(float)
    return path


def picture(kind: str, seed: int = 0, width: int = 24, height: int = 24) -> bytes:
    """A picture of noise, as the bytes of a file."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def celeba(folder: Path) -> Path:
    """Eight photographs in a zip, with the text files beside it."""
    folder.mkdir(parents=True)
    names = [f"{number:06d}.jpg" for number in range(1, 9)]
    with zipfile.ZipFile(folder / "img_align_celeba.zip", "w") as file:
        for number, name in enumerate(names):
            file.writestr(f"img_align_celeba/{name}", picture("JPEG", number, 178, 218))
    attributes = "".join(f"{name},1,-1\n" for name in names)
    (folder / "list_attr_celeba.csv").write_text(f"image_id,Smiling,Male\n{attributes}")
    people = "".join(f"{name} {900 + number // 2}\n" for number, name in enumerate(names))
    (folder / "identity_CelebA.txt").write_text(people)
    splits = "".join(f"{name} {number % 3}\n" for number, name in enumerate(names))
    (folder / "list_eval_partition.txt").write_text(splits)
    return folder


def chairs_tar(path: Path) -> Path:
    """Three chairs in two views."""
    with tarfile.open(path, "w") as file:
        for model in ("c0ffee00", "0badbeef", "feedface"):
            for view in range(2):
                member = tarfile.TarInfo(f"rendered_chairs/{model}/renders/image_{view:03d}_p020_t{view:03d}_r096.png")
                content = picture("PNG", view)
                member.size = len(content)
                file.addfile(member, io.BytesIO(content))
    return path


def faces_pth(path: Path, zipped: bool = True) -> Path:
    """The published layout of the Basel faces, of 2×2 pixels."""
    images = torch.arange(50 * 21 * 11 * 11 * 4).reshape(50, 21, 11, 11, 2, 2) % 256
    torch.save(images.to(torch.uint8), path, _use_new_zipfile_serialization=zipped)
    return path


def done(*words: str, to: Path) -> None:
    """Run a command that must succeed."""
    ended = seatbelt(*words, to=to)
    assert ended.code == 0, ended.err


def trained(root: Path, name: str, images: Path, steps: int = 6, seed: int = 0) -> Path:
    """A run that is trained and no more."""
    words = [*TRAIN.split(), "--steps", str(steps), "--seed", str(seed), "--data", str(images)]
    done("train", *words, "--out", str(root / name), to=root)
    return root / name


def half_trained(root: Path, name: str, images: Path) -> Path:
    """A run that a signal has stopped after three of six steps."""
    from seatbelt_vae.training.update import Update

    update = Update.__call__

    def signalled(this: Update, step: int, *more: Any) -> Any:
        if step == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return update(this, step, *more)

    Update.__call__ = signalled  # type: ignore[method-assign]
    words = [*TRAIN.split(), "--steps", "6", "--data", str(images), "--out", str(root / name)]
    ended = seatbelt("train", *words, to=root)
    Update.__call__ = update  # type: ignore[method-assign]
    assert ended.code == 143, ended.err
    return root / name


def whole_run(root: Path, name: str, images: Path, seed: int = 0) -> Path:
    """A run that is trained, measured and attacked."""
    run = trained(root, name, images, seed=seed)
    done("evaluate", str(run), *["--measure", "elbo,noise,weights", "--samples", "1", "--device", "cpu"], to=root)
    done("attack", str(run), *ATTACK.split(), to=root)
    return run


def sweep_toml(path: Path, images: Path) -> Path:
    """A sweep of two runs."""
    path.write_text(SWEEP.format(images=json.dumps(str(images))))
    return path
