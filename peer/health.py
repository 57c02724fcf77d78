"""`python -m peer.health`: exit 0 if the peer of this container answers GET_STATUS.

The rule: standard library only, and little of it. It is started every few seconds beside a peer that trades.
"""

from __future__ import annotations

import os
import socket
import sys

BODY = b'["health","exchange",{"type":"GET_STATUS"}]'
REQUEST = b"POST / HTTP/1.1\r\nHost: health\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)


def main() -> int:
    """Ask the peer for its status: 0 if it answers, 1 if not."""
    port = int(os.environ.get("GRAPEVINE_PORT") or 4000)
    answer = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2.0) as connection:
            connection.sendall(REQUEST)
            while part := connection.recv(65536):
                answer += part
    except OSError as error:
        sys.stderr.write(f"health: {error}\n")
        return 1
    return 0 if b'"STATUS"' in answer else 1


if __name__ == "__main__":
    sys.exit(main())
