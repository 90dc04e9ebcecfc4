"""Jobs through Ray: a cluster that is there, or one of this machine's cores for as long as the sweep takes.

References:
    Moritz et al. 2018, Ray: A Distributed Framework for Emerging AI Applications.
"""

import importlib.util
import os
import socket
from typing import Any
from urllib.parse import urlsplit

from seatbelt_vae.errors import InputError, RunError, missing
from seatbelt_vae.experiments.engines.protocol import Job
from seatbelt_vae.experiments.tasks import perform

_MANY = 1000  # jobs that a cluster's own queue is given at a time
_ANSWER = 5.0  # seconds that a cluster has to answer
_STORE = 80 * 2**20  # bytes of Ray's object store, of which jobs need nothing; Ray takes no less


class Ray:
    """An engine over a Ray cluster.

    Args:
        address: of a cluster, such as ``auto`` or ``head:6379``; ``ray://head:10001`` needs ``ray[client]``. None
            starts one on this machine.
        workers: number of jobs at a time; on a cluster as many as it has room for by default.
        cpus: cores of a job.
        gpus: GPUs of a job; Ray lets it see these only.

    Raises:
        InputError: Ray is not installed.
        RunError: the cluster does not answer.
    """

    def __init__(self, address: str | None, workers: int | None, cpus: int = 1, gpus: int = 0) -> None:
        self._ray = _ray()
        address = address or os.environ.get("RAY_ADDRESS")
        if address:
            _check_address(address)
        try:
            self._ray.init(**_settings(address, workers, cpus))
        except Exception as error:  # of many kinds, some of them Ray's own
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise RunError(f"ray: {address or 'this machine'} gives no cluster ({reason})") from error
        # Ray's own second tries would not be counted; a run is tried again by the sweep.
        self._perform = self._ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=0)(perform)
        self.slots = workers or _MANY
        self._jobs: dict[Any, Job] = {}

    def submit(self, job: Job) -> None:
        """Queue a job."""
        self._jobs[self._perform.remote(*job)] = job

    def ended(self, timeout: float) -> list[tuple[Job, str]]:
        """Give the jobs that have ended since the last call, waiting up to `timeout` seconds."""
        if not self._jobs:
            return []
        over, _ = self._ray.wait(list(self._jobs), num_returns=1, timeout=timeout)
        return [(self._jobs.pop(task), self._details(task)) for task in over]

    def _details(self, task: Any) -> str:
        try:
            self._ray.get(task)
        except Exception as error:  # Ray's own; what `perform` raises is wrapped in them
            return str(error)
        return ""

    def close(self) -> None:
        """Stop the jobs that are at work, and leave the cluster; one that was started here ends."""
        for task in self._jobs:
            self._ray.cancel(task)
        if self._jobs:
            self._ray.wait(list(self._jobs), num_returns=len(self._jobs), timeout=5.0)
        self._jobs = {}
        self._ray.shutdown()


def _check_address(address: str) -> None:
    """Refuse in seconds what Ray itself would try to reach for a quarter of an hour.

    Raises:
        InputError: ``ray://`` without Ray's client.
        RunError: nothing answers at the address.
    """
    if address.startswith("ray://") and importlib.util.find_spec("grpc") is None:
        raise InputError(f"ray: {address} needs Ray's client: pip install 'ray[client]'")
    place = urlsplit(address if "://" in address else f"//{address}")
    try:
        host, port = place.hostname, place.port
    except ValueError as error:
        raise InputError(f"ray: {address} is no address, use one such as head:6379") from error
    if host is None or port is None:  # auto, local
        return
    try:
        socket.create_connection((host, port), timeout=_ANSWER).close()
    except OSError as error:
        raise RunError(f"ray: {address} gives no cluster ({error.strerror or error})") from error


def _settings(address: str | None, workers: int | None, cpus: int) -> dict[str, Any]:
    quiet = {"log_to_driver": False, "logging_level": "ERROR"}
    if address:
        return {"address": address, **quiet}
    cores = cpus * (workers or max(1, (os.cpu_count() or 1) // cpus))
    return {"address": "local", "num_cpus": cores, "include_dashboard": False, "object_store_memory": _STORE, **quiet}


def _ray() -> Any:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ImportError as error:
        raise missing("--engine ray", "Ray", "ray") from error
    return ray
