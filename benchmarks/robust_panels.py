"""A picture of what two models of the network of Burgess et al. make of their worst images within 10 %.

python benchmarks/robust_panels.py OUT.svg chairs_mesh64.npz RUNS/chairs64-burgess-plain-s0 RUNS/…-adversarial-s0
"""

import argparse
from pathlib import Path

from robust import make
from robust_figures import columns_of, panels
from robust_measures import damage, median_distance
from safetensors.torch import load_file

from seatbelt_vae.data import load_dataset, pairs
from seatbelt_vae.storage import write_bytes

SHARE = 0.1
ROWS = 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("data", help="a name, or a file")
    parser.add_argument("plain", type=Path)
    parser.add_argument("robust", type=Path)
    parser.add_argument("--size", type=int, default=64)
    args = parser.parse_args()
    data = load_dataset(args.data, size=args.size)
    split = data.split(0.1, 0)
    source = pairs(split.test, ROWS, 1).source
    radius = SHARE * median_distance(split.train)
    sides = {}
    for title, folder in (("VAE", args.plain), ("robust VAE", args.robust)):
        model, _ = make(argparse.Namespace(model="vae", seed=0, network="burgess"), data.image_shape)
        model.load_state_dict(load_file(folder / "model.safetensors"))
        worst = damage(model.eval(), source, [radius], restarts=2)[:, 0]
        sides[title] = columns_of(model, source, worst)
    write_bytes(args.out, panels(sides).encode())


if __name__ == "__main__":
    main()
