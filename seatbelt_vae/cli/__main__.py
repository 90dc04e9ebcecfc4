"""``python -m seatbelt_vae.cli``: the command line without the installed script."""

import sys

from seatbelt_vae.cli import main

if __name__ == "__main__":
    sys.exit(main())
