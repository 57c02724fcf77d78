"""`python -m peer`: run one peer until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import sqlite3
import sys

import uvloop

from peer.config import read_config
from peer.ledgers import Amnesia, CorruptJournal
from peer.logs import log_to_stderr
from peer.service import Service

log = logging.getLogger("peer")


# A peer makes objects that live long and form no circles: looking for garbage often is a third of its time.
GARBAGE_THRESHOLDS = (100_000, 50, 100)


async def _run() -> None:
    service = Service(read_config(sys.argv[1:]))
    log_to_stderr(service.peer_id)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    await service.run()
    log.info("ended")


def main() -> int:
    """Run a peer; 0 after a signal, 1 if it had to give up."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    try:
        uvloop.run(_run())
    except (OSError, sqlite3.Error, CorruptJournal, Amnesia) as error:
        print(f"peer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
