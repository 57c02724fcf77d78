"""Log lines of a peer: one JSON object a line on stderr, so that a testbed can read them."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Time (UTC), level, peer and message; a traceback if there is one."""

    def __init__(self, peer_id: str) -> None:
        super().__init__()
        self._peer_id = peer_id

    def format(self, record: logging.LogRecord) -> str:
        """Write one record as one line."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds"),
            "level": record.levelname.lower(),
            "peer": self._peer_id,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to_stderr(peer_id: str) -> None:
    """Send everything from level INFO on to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(peer_id))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
