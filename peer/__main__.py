"""`python -m peer`: run one peer until SIGTERM or SIGINT."""

from __future__ import annotations

import asyncio
import logging
import signal
import sqlite3
import sys

import uvloop

from peer.config import read_config
from peer.logs import log_to_stderr
from peer.service import Service

log = logging.getLogger("peer")


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
    try:
        uvloop.run(_run())
    except (OSError, sqlite3.Error) as error:
        print(f"peer: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
