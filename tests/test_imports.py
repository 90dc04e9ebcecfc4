"""What is imported when: nothing for the package alone, and no optional library for its front door."""

import json
import subprocess
import sys

import seatbelt_vae as sb

OPTIONAL = {
    "diffusers",
    "gradio",
    "h5py",
    "onnx",
    "onnxruntime",
    "pandas",
    "pooch",
    "pyarrow",
    "ray",
    "scipy",
    "sklearn",
    "submitit",
    "tensorboard",
    "vl_convert",
}
"""Libraries of the extras, and core ones that take long."""


def imported(code: str) -> set[str]:
    """The packages beyond the standard library that a piece of code imports, in a process of its own."""
    after = "import json, sys; print(json.dumps(list(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{after}"], capture_output=True, text=True, check=True)
    found = {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}
    return found - sys.stdlib_module_names


def test_the_package_alone_imports_nothing_else() -> None:
    beside = imported("import json")  # what the environment itself loads
    assert imported("import seatbelt_vae") - beside == {"seatbelt_vae"}


def test_the_front_door_imports_no_optional_library() -> None:
    names = [name for name in sb.__all__ if name != "VAETransformer"]  # which is of scikit-learn
    found = imported(f"import seatbelt_vae as sb\nfor name in {names}: getattr(sb, name)")
    assert {"torch", "seatbelt_vae"} <= found
    assert found & OPTIONAL == set()
