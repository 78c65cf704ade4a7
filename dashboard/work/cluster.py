"""The Dask cluster jobs run on: one of our own on this machine, or one that ``TRIAGE_SCHEDULER`` names.

Workers have one thread each: decoding holds Python's global lock, and a damaged file that kills a decoder must not take
another study with it. Nothing of Dask's listens beyond this machine unless a cluster is named, and our own cluster
answers only to who holds the certificate it made for itself at its start.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dashboard.errors import SettingsError

if TYPE_CHECKING:
    from distributed import Client, Nanny

PRELOAD = "dashboard.work.tasks"
CONNECT_S = 20
# A worker whose scheduler is gone ends, and is started again by whoever watches over it.
LOST_S = 30
SCRATCH = "temporary-directory"
SCHEMES = ("tcp://", "tls://")
UNKNOWN = "TRIAGE_SCHEDULER must be an address such as tls://scheduler.example.org:8786; correct it in the environment."
CONFIG: dict[str, Any] = {
    # Memory maps count as memory to Dask, which would pause or kill a worker for them.
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": False,
    # Dask has its workers hand freed memory back at once, which made the analysis three times slower.
    "distributed.nanny.pre-spawn-environ": {},
    # A long decode keeps the event loop of its worker waiting; the heartbeat in the database tells who is dead.
    "distributed.scheduler.worker-ttl": "5 minutes",
    "distributed.scheduler.allowed-failures": 0,
    "distributed.admin.tick.limit": "1 h",
    # Their HTTP servers, which know no certificate, answer nothing.
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    # Watching itself took Dask a twentieth of a core per process, day and night; nobody can look at what it found.
    "distributed.admin.tick.interval": "1 s",
    "distributed.admin.system-monitor.interval": "10 s",
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.active-memory-manager.start": False,
    # A decoder runs in a process of its own, and daemons may have none.
    "distributed.worker.daemon": False,
}


@contextmanager
def connected(address: str, workers: int, scratch: Path) -> Iterator["Client"]:
    """Client of the cluster at `address`, or of one of our own with `workers` processes where that is empty.

    `scratch` is where Dask may keep its own files.

    Raises
    ------
    SettingsError
        The address is malformed.
    OSError
        The cluster cannot be reached, or not be started, for now.
    """
    import dask
    from distributed import Client, LocalCluster
    from distributed.security import Security

    _quiet()
    with dask.config.set({**CONFIG, SCRATCH: str(scratch)}):
        if address:
            with Client(check_address(address), timeout=CONNECT_S, set_as_default=False) as client:
                yield client
            return
        security = Security.temporary()
        with (
            LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                memory_limit=None,
                processes=True,
                host="127.0.0.1",
                protocol="tls",
                security=security,
                dashboard_address="127.0.0.1:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.ERROR,
                preload=[PRELOAD],
            ) as cluster,
            Client(cluster, security=security, set_as_default=False) as client,
        ):
            yield client


def join(address: str, scratch: Path) -> None:
    """Be a worker of the cluster at `address` until it ends or this process is told to.

    Raises
    ------
    SettingsError
        The address is malformed.
    OSError
        The cluster cannot be reached.
    """
    import asyncio

    import dask
    from distributed import Nanny

    async def serve() -> None:
        async with Nanny(
            check_address(address), nthreads=1, memory_limit=None, preload=[PRELOAD], death_timeout=LOST_S
        ) as nanny:
            over = {asyncio.ensure_future(nanny.finished()), asyncio.ensure_future(_gone(nanny))}
            await asyncio.wait(over, return_when=asyncio.FIRST_COMPLETED)

    _quiet()
    with dask.config.set({**CONFIG, SCRATCH: str(scratch)}):
        asyncio.run(serve())


async def _gone(nanny: "Nanny") -> None:
    """Until there has been no worker process for so long that none will come: one that dies at its start is given up.

    Whoever watches over this process then starts it again.
    """
    import asyncio

    alive = time.monotonic()
    while time.monotonic() - alive < LOST_S:
        await asyncio.sleep(1)
        if nanny.is_alive():
            alive = time.monotonic()


def check_address(address: str) -> str:
    """The address, if it can be one of a scheduler.

    Raises
    ------
    SettingsError
        It cannot.
    """
    if not address.startswith(SCHEMES):
        raise SettingsError(UNKNOWN)
    return address


def _quiet() -> None:
    """Dask tells of every lost connection; what matters is told by us."""
    logging.getLogger("distributed").setLevel(logging.ERROR)
