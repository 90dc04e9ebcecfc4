"""What a step of training costs beside pythae 0.1.2 and a bare loop, and whether it gets as far.

    pip install --no-deps pythae==0.1.2
    python benchmarks/training.py [--repeats 3] [--markdown FILE]
    python benchmarks/training.py --elbo [--markdown FILE]

The same model, grey 64×64, in all of them: a β-TCVAE with ten latents, and a Seatbelt-VAE of four layers. CPU
milliseconds an image, time of the system included, one thread; and by how much the most memory the process held rose.
Every measurement has a process of its own, they take turns, and the table has medians. "plain" is a loop of five lines
as PyTorch's tutorials have it, "floor" the same with all that ours does to be fast.

With --elbo: the held-out ELBO of sprites at 32×32 after STEPS steps, three seeds, for pythae and both precisions.
"""

import argparse
import contextlib
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch.distributions import kl_divergence
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

from seatbelt_vae.allocator import kept_memory
from seatbelt_vae.data import ImageDataset, load_dataset
from seatbelt_vae.models import seatbelt_vae, vae
from seatbelt_vae.objectives import ELBO, BetaTC
from seatbelt_vae.training import Settings, Update, train
from seatbelt_vae.training.schedule import BatchSchedule, cosine_decay
from seatbelt_vae.training.update import channels_last

CODES = ["pythae"]
for precision in ("float32", "bfloat16"):
    CODES += [f"plain {precision}", f"floor {precision}", f"ours {precision}"]
SPEED = [("beta-tcvae", batch, code) for batch in (128, 1024) for code in CODES]
SPEED += [("seatbelt", 128, code) for code in CODES if code.startswith(("floor", "ours"))]
STEPS, SEEDS, MIB = 600, 3, 2**20


def model_of(name: str, side: int, seed: int = 0):
    torch.manual_seed(seed)
    if name == "seatbelt":
        return seatbelt_vae((1, side, side), latent_sizes=(96, 48, 24, 12)).train()
    return vae((1, side, side), latent_sizes=(10,)).train()


def pythae_of(model):
    """pythae's β-TCVAE around the encoder and the decoder of a model of ours."""
    from pythae.models import BetaTCVAE, BetaTCVAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self):
            super().__init__()
            self.posterior = model.posterior

        def forward(self, x):
            (q,), _ = self.posterior(x, None, model.generative)
            return ModelOutput(embedding=q.loc, log_covariance=2 * q.scale.log())

    class Decoder(BaseDecoder):
        def __init__(self):
            super().__init__()
            self.likelihood = model.likelihood

        def forward(self, z):
            return ModelOutput(reconstruction=self.likelihood([z]).mean)

    settings = {"input_dim": model.image_shape, "latent_dim": 10, "reconstruction_loss": "bce"}
    return BetaTCVAE(BetaTCVAEConfig(alpha=1, beta=6, gamma=1, **settings), Encoder(), Decoder())


def pythae_steps(model, images, batch: int):
    """pythae's own trainer, whose epoch is one batch."""
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    settings = {"per_device_train_batch_size": batch, "learning_rate": 1e-3, "no_cuda": True}
    config = BaseTrainerConfig(output_dir=tempfile.mkdtemp(), **settings)
    data = BaseDataset(images[:batch].float() / 255, images.new_zeros(batch))
    trainer = BaseTrainer(pythae_of(model), data, training_config=config)
    trainer.prepare_training()
    return lambda steps: [trainer.train_step(epoch) for epoch in range(steps)]


def bare_steps(model, images, batch: int, precision: str, fast: bool):
    """Forward, loss, backward and Adam, on one batch that is ready: the floor of any loop."""
    device = next(model.parameters()).device
    x = images[:batch].to(device).float() / 255
    if fast and precision == "bfloat16":
        channels_last(model)
    adam = torch.optim.Adam(model.parameters(), lr=1e-3, fused=fast)

    def steps(count: int) -> None:
        for _ in range(count):
            adam.zero_grad()
            with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bfloat16"):
                encoding = model(x)
            logits = encoding.likelihood.base_dist.logits.float()
            loss = cross_entropy(logits, x, reduction="sum")
            for q, p in zip(encoding.q, encoding.p, strict=True):
                loss = loss + kl_divergence(q, p).sum()
            (loss / batch).backward()
            adam.step()

    return steps


def our_steps(model, images, batch: int, precision: str):
    settings = Settings(steps=10**6, batch_size=batch, precision=precision)
    update = Update(model, ImageDataset(images), BetaTC(beta=6.0), settings)
    return lambda steps: [update(step) for step in range(steps)]


def speed(name: str, batch: int, code: str) -> dict[str, float]:
    """CPU ms an image and MiB of a few steps in this process."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    images = torch.randint(0, 256, (2 * batch, 1, 64, 64), dtype=torch.uint8)
    model = model_of(name, 64)
    kind, _, precision = code.partition(" ")
    if kind == "pythae":
        steps = pythae_steps(model, images, batch)
    elif kind == "ours":
        steps = our_steps(model, images, batch, precision)
    else:
        steps = bare_steps(model, images, batch, precision, fast=kind == "floor")
    memory = contextlib.nullcontext()
    if kind in ("ours", "floor"):
        memory = kept_memory()
    count = max(1, 384 // batch)
    with memory:
        steps(1)  # the first is slow
        started = time.process_time()
        steps(count)
        seconds = time.process_time() - started
    rise = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    return {"ms": 1e3 * seconds / (count * batch), "mib": rise * 1024 / MIB}


def elbo(code: str, seed: int) -> dict[str, float]:
    """The ELBO of held-out sprites after training on others."""
    split = load_dataset("sprites", size=32, count=8192).split(test=0.25, seed=0)
    model = model_of("beta-tcvae", 32, seed)
    if code == "pythae":
        other = pythae_of(model).train()
        adam = torch.optim.Adam(other.parameters(), lr=1e-3)
        schedule = BatchSchedule(len(split.train), 128, seed)
        for step in range(STEPS):
            adam.param_groups[0]["lr"] = cosine_decay(1e-3, step, STEPS)
            output = other({"data": split.train[schedule.batch(step)]}, dataset_size=len(split.train))
            adam.zero_grad()
            output.loss.backward()
            torch.nn.utils.clip_grad_norm_(other.parameters(), 200.0)
            adam.step()
    else:
        train(model, split.train, BetaTC(beta=6.0), steps=STEPS, seed=seed, device="cpu", precision=code)
    x = split.test[torch.arange(len(split.test))]
    torch.manual_seed(0)
    with torch.no_grad():
        terms = ELBO()(model.eval()(x), x, len(split.train))
    return {"elbo": float(terms.elbo.mean())}


def run(measure: Callable[..., dict[str, float]], *case: Any) -> dict[str, float]:
    """One measurement in a process of its own."""
    with multiprocessing.get_context("fork").Pool(1) as pool:
        found = pool.apply(measure, case)
    print(*case, found, file=sys.stderr, flush=True)
    return found


def speed_table(repeats: int) -> str:
    found: dict[tuple[Any, ...], list[dict[str, float]]] = {case: [] for case in SPEED}
    for _ in range(repeats):
        for case, runs in found.items():
            runs.append(run(speed, *case))
    middle = {}
    for case, runs in found.items():
        middle[case] = {key: statistics.median(each[key] for each in runs) for key in runs[0]}
    text = "| model | batch | code | CPU ms an image | MiB | pythae ÷ | ÷ floor |\n|---|---|---|---|---|---|---|\n"
    for (name, batch, code), numbers in middle.items():
        peer = middle.get((name, batch, "pythae"))
        floor = middle.get((name, batch, code.replace("ours", "floor")))
        cells = [name, str(batch), code, f"{numbers['ms']:.2f}", f"{numbers['mib']:.0f}"]
        cells.append(f"{peer['ms'] / numbers['ms']:.2f}" if peer else "")
        cells.append(f"{numbers['ms'] / floor['ms']:.2f}" if floor and code.startswith("ours") else "")
        text += f"| {' | '.join(cells)} |\n"
    return text


def elbo_table() -> str:
    text = f"| code | held-out ELBO after {STEPS} steps, nats, by seed | mean ± standard error |\n|---|---|---|\n"
    for code in ("pythae", "float32", "bfloat16"):
        values = [run(elbo, code, seed)["elbo"] for seed in range(SEEDS)]
        error = statistics.stdev(values) / SEEDS**0.5
        listed = ", ".join(f"{value:.2f}" for value in values)
        text += f"| {code} | {listed} | {statistics.mean(values):.2f} ± {error:.2f} |\n"
    return text


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elbo", action="store_true")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    text = elbo_table() if options.elbo else speed_table(options.repeats)
    print(text)
    if options.markdown:
        options.markdown.write_text(text)


if __name__ == "__main__":
    main()
