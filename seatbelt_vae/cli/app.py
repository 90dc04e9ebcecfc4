"""The commands, put together. Nothing here or above imports torch before a command runs: ``--help`` is instant."""

from importlib.metadata import version

from cyclopts import App, Parameter

from seatbelt_vae.cli import attack, compare, data, demo, evaluate, report, reproduce, sweep, train

app = App(
    name="seatbelt",
    help="Train robust, disentangled, hierarchical VAEs, attack them, and see what the attack gained.",
    help_epilogue="Start with: seatbelt demo --out demo",
    version=lambda: version("seatbelt-vae"),
    help_format="plaintext",
    default_parameter=Parameter(negative=(), show_default=lambda value: None if value in (None, False) else str(value)),
)
app.command(data.app)
for module in (demo, train, evaluate, attack, sweep, reproduce, report, compare):
    app.command(module.command, name=module.NAME, help_epilogue=f"Example: {module.EXAMPLE}")
