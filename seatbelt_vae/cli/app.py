"""The commands, put together. A command's module is imported when it is asked for: ``seatbelt --help`` is instant."""

from cyclopts import App, Parameter

COMMANDS = {
    "demo": "Train four models on sprites, one of them robust, attack each, and write a report: minutes.",
    "data": "List data sets, look into one, or prepare one.",
    "train": "Train a model. A run that is finished is not done again; one that was interrupted goes on.",
    "evaluate": "Measure a trained model on images that it has not seen. What is known is not measured again.",
    "attack": "Attack a trained model with pairs of its test images, and measure what the attack gained.",
    "sweep": "Train, measure and attack every run that a file with lists describes. The same command goes on.",
    "reproduce": "Make figures and tables of the paper again, and set ours beside the paper's numbers.",
    "report": "Write an HTML page that opens offline, with figures and tables, about runs and attacks on them.",
    "compare": "Compare two runs pair by pair, on the attacks that both went through; 1 where a condition fails.",
    "table": "Write every number of runs into one long table, a row a number.",
    "verify": "Check every file of runs, and compute a sample of their results again; 1 where something is wrong.",
    "upgrade": "Bring runs of an earlier version into today's form. Twice is harmless.",
}

EXAMPLES = {
    "demo": "seatbelt demo --out demo",
    "data": "seatbelt data info sprites",
    "train": "seatbelt train --model seatbelt --layers 3 --beta 4 --data sprites --size 32 --steps 2000 --out runs/a",
    "evaluate": "seatbelt evaluate runs/a --measure elbo,noise,dci",
    "attack": "seatbelt attack runs/a --objective latent --divergence w2 --pairs 10 --lambdas paper",
    "sweep": "seatbelt sweep examples/sweep.toml --out STORE --table STORE/results.csv",
    "reproduce": "seatbelt reproduce all --scale smoke --out reproduction",
    "report": "seatbelt report runs/a runs/b --out report",
    "compare": 'seatbelt compare runs/a runs/b --fail-if "success>+0.05" --require "f50>=0.3"',
    "table": "seatbelt table runs/a STORE --out numbers.csv",
    "verify": "seatbelt verify runs/a",
    "upgrade": "seatbelt upgrade STORE",
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
for name, summary in COMMANDS.items():
    details = {"help_epilogue": f"Example: {EXAMPLES[name]}"}
    home = f"seatbelt_vae.cli.{name}:command"
    if name == "data":  # has commands of its own
        details = {}
        home = "seatbelt_vae.cli.data:app"
    app.command(home, name=name, help=summary, **details)
app.register_install_completion_command(help_epilogue="Example: seatbelt --install-completion --shell bash")
