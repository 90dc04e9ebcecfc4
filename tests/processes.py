"""Several processes that work together, as torchrun starts them: forks of this one."""

import os
import socket
import traceback
from collections.abc import Callable


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def start(work: Callable[[int], None], rank: int, size: int, port: int) -> int:
    """Fork; the child ends with 0 where the work went well."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        numbers = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": size, "MASTER_PORT": port}
        os.environ.update({name: str(number) for name, number in numbers.items()}, MASTER_ADDR="127.0.0.1")
        work(rank)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def together(work: Callable[[int], None], size: int = 2) -> list[int]:
    """Let `size` processes do the work, each with its rank; their exit codes."""
    port = free_port()
    children = [start(work, rank, size, port) for rank in range(size)]
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
