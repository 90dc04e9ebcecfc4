"""The commands, put together. A command's module is imported when it is asked for: ``seatbelt --help`` is instant."""

from dataclasses import dataclass

from cyclopts import App, Parameter


@dataclass(frozen=True)
class Entry:
    """A command in the list of commands.

    Args:
        help: what it does.
        example: how it is called.
    """

    help: str
    example: str


COMMANDS = {
    "demo": Entry(
        "Train a VAE, a β-TCVAE and a Seatbelt-VAE on sprites, attack each, and write a report: about four minutes.",
        "seatbelt demo --out demo",
    ),
    "data": Entry("List data sets, or look into one.", "seatbelt data info sprites"),
    "train": Entry(
        "Train a model. A run that is finished is not done again; one that was interrupted goes on.",
        "seatbelt train --model seatbelt --layers 3 --beta 4 --data sprites --size 32 --steps 2000 --out runs/a",
    ),
    "evaluate": Entry(
        "Measure a trained model on images that it has not seen. What is known is not measured again.",
        "seatbelt evaluate runs/a --measure elbo,noise,dci",
    ),
    "attack": Entry(
        "Attack a trained model with pairs of its test images, and measure what the attack gained.",
        "seatbelt attack runs/a --objective latent --divergence w2 --pairs 10 --lambdas paper",
    ),
    "sweep": Entry(
        "Train, measure and attack every run that a file with lists describes. The same command goes on.",
        "seatbelt sweep examples/sweep.toml --out STORE --table STORE/results.csv",
    ),
    "reproduce": Entry(
        "Make figures and tables of the paper again, and set ours beside the paper's numbers.",
        "seatbelt reproduce all --scale smoke --out reproduction",
    ),
    "report": Entry(
        "Write an HTML page that opens offline, with figures and tables, about runs and the attacks on them.",
        "seatbelt report runs/a runs/b --out report",
    ),
    "compare": Entry(
        "Compare two runs pair by pair, on the attacks that both went through. Exits with 1 where a condition fails.",
        'seatbelt compare runs/a runs/b --fail-if "success>+0.05" --require "f50>=0.3"',
    ),
    "table": Entry(
        "Write every number of runs into one long table, a row a number.",
        "seatbelt table runs/a STORE --out numbers.csv",
    ),
    "upgrade": Entry(
        "Bring attacks that an earlier version made into today's form. Twice is harmless.",
        "seatbelt upgrade STORE",
    ),
}


def version() -> str:
    """The versions of this library and of torch, and the device that ``--device auto`` takes."""
    import torch

    from seatbelt_vae import __version__
    from seatbelt_vae.training import choose_device

    return f"seatbelt {__version__}, torch {torch.__version__}, device {choose_device('auto')}"


app = App(
    name="seatbelt",
    help="Train robust, disentangled, hierarchical VAEs, attack them, and see what the attack gained.",
    help_epilogue="Start with: seatbelt demo --out demo",
    version=version,
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=lambda value: str(value) if value else None),
)
for name, entry in COMMANDS.items():
    home = f"seatbelt_vae.cli.{name}"
    if name == "data":
        app.command(f"{home}:app", name=name, help=entry.help)
    else:
        app.command(f"{home}:command", name=name, help=entry.help, help_epilogue=f"Example: {entry.example}")
app.register_install_completion_command(help_epilogue="Example: seatbelt --install-completion --shell bash")
