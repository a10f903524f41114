"""Several processes of one command on this machine, as torchrun starts them."""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Sequence

SHUTDOWN = 3600
"""Seconds that processes which are asked to stop have for their step, validation and files."""


def launch(command: str, arguments: Sequence[str], count: int) -> int:
    """Run a command in several processes that train together, and wait for them.

    Args:
        command: Its name.
        arguments: What follows it.
        count: Number of processes.

    Returns:
        The exit code of the first that failed, or 0.
    """
    from torch.distributed.elastic.multiprocessing.api import DefaultLogsSpecs, SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    for part in ("agent.server", "multiprocessing"):  # each process says itself why it ends
        logging.getLogger(f"torch.distributed.elastic.{part}.api").setLevel(logging.CRITICAL)
    threads = max(1, (os.cpu_count() or 1) // count)
    os.environ.setdefault("OMP_NUM_THREADS", str(threads))  # or each would take every core
    with tempfile.TemporaryDirectory(prefix="lambent-") as logs:
        settings = LaunchConfig(
            logs_specs=DefaultLogsSpecs(log_dir=logs),
            min_nodes=1,
            max_nodes=1,
            nproc_per_node=count,
            rdzv_backend="c10d",
            rdzv_endpoint="localhost:0",
            run_id=f"lambent-{os.getpid()}",
            max_restarts=0,
            local_addr="localhost",
            shutdown_timeout=SHUTDOWN,
        )
        try:
            elastic_launch(settings, sys.executable)("-m", "lambent.cli", command, *arguments)
        except ChildFailedError as error:
            code = error.get_first_failure()[1].exitcode
            return code if code >= 0 else 128 - code  # as a shell has it for one that was killed
        except SignalException as stop:
            return 128 + int(stop.sigval)
    return 0
