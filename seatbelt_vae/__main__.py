"""``python -m seatbelt_vae``, and so ``torchrun … -m seatbelt_vae train …``: the command line."""

import sys

from seatbelt_vae.cli import main

if __name__ == "__main__":
    sys.exit(main())
