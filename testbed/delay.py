"""A proxy that delays what one peer sends to others: `python delay.py PORT MARK`, in the peer's network namespace.

Packet rules turn the peer's connections to it, the peer knows nothing of it, and whoever is called sees the peer's own
address. Each line on standard input, `SOONEST LATEST` in seconds, says how long messages take from then on; when the
input ends, so does the proxy. It is a program of its own and imports nothing of this project.
"""

from __future__ import annotations

import asyncio
import random
import socket
import struct
import sys

BUFFER_BYTES = 4 << 20
CONNECT_TIMEOUT_S = 5.0
# From <linux/netfilter_ipv4.h>; Python has no name for it.
SO_ORIGINAL_DST = 80

Stream = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Proxy:
    """Takes in connections that were meant for others, and brings them there."""

    def __init__(self, mark: int) -> None:
        self.soonest_s = self.latest_s = 0.0
        self._mark = mark

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry a connection in both directions until it ends; if its end is not reached, end it."""
        ends = [writer]
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT_S):
                far_reader, far_writer = await self._connect(writer.get_extra_info("socket"))
            ends.append(far_writer)
            await asyncio.gather(self._carry(reader, far_writer), self._carry(far_reader, writer))
        except OSError:
            pass  # Either side is gone, and the other one is about to see it.
        finally:
            for end in ends:
                end.transport.abort()

    async def _connect(self, accepted: socket.socket) -> Stream:
        packed = accepted.getsockopt(socket.SOL_IP, SO_ORIGINAL_DST, 16)
        port, address = struct.unpack_from("!2xH4s", packed)
        onward = socket.socket()
        try:
            onward.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)
            onward.setblocking(False)
            await asyncio.get_running_loop().sock_connect(onward, (socket.inet_ntoa(address), port))
            return await asyncio.open_connection(sock=onward, limit=BUFFER_BYTES)
        except BaseException:
            onward.close()
            raise

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        # What comes while a message is under way waits, and then goes on together: order is kept, memory bounded.
        while data := await reader.read(BUFFER_BYTES):
            await asyncio.sleep(random.uniform(self.soonest_s, self.latest_s))
            writer.write(data)
            await writer.drain()
        writer.write_eof()


async def serve(port: int, mark: int) -> None:
    """Listen, say so, and do what is said until there is nobody to say more."""
    proxy = Proxy(mark)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", port, limit=BUFFER_BYTES)
    told = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(told), sys.stdin)
    print("ready", flush=True)
    while line := await told.readline():
        proxy.soonest_s, proxy.latest_s = map(float, line.split())
    server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
