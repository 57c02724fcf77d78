"""The saboteur: what only root may do to peers, as a program of its own, on this machine or in a container.

Each line on standard input is a JSON object that names a deed; each is answered with a line, `{}` or `{"error": ...}`.
When the input ends, be it that the runner was killed, the saboteur ends too, and its proxies with it. It imports
nothing of this project, so that it can be an image of its own.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TextIO

BALLAST = "ballast"
BLOCK_BYTES = 1 << 20
MACHINE_NET = Path("/proc/self/ns/net")


class Saboteur:
    """Holds on to the network namespaces of places: what is done to one whose process has ended harms nobody."""

    def __init__(self) -> None:
        self._nets: dict[str, int] = {}
        self._proxies: dict[str, subprocess.Popen[str]] = {}
        self._delay = "0 0"

    def enter(self, place: str, net: str, rules: str, proxy: list[str] | None) -> None:
        """Prepare a place's namespace, given as a file, for rules; with `proxy`, start that command in it."""
        self._leave(place)
        self._nets[place] = os.open(net, os.O_RDONLY)
        # The process that it was named by may have ended, and its number may be anybody's.
        if os.path.samestat(os.fstat(self._nets[place]), MACHINE_NET.stat()):
            raise OSError(f"the network of {place} is this machine's own")
        self.rules(place, rules)
        if proxy is not None:
            self._proxies[place] = self._spawn(place, proxy)
            self._tell(self._proxies[place])

    def rules(self, place: str, rules: str) -> None:
        """Change packet rules of a place."""
        restore = self._into(place, ["iptables-restore", "--noflush", "--wait"])
        done = subprocess.run(restore, input=rules, capture_output=True, text=True, pass_fds=[self._nets[place]])
        if done.returncode:
            raise OSError(f"iptables-restore: {done.stderr.strip()}")

    def delay(self, soonest_s: float, latest_s: float) -> None:
        """Say how long all proxies keep a message."""
        self._delay = f"{soonest_s:f} {latest_s:f}"
        for proxy in self._proxies.values():
            self._tell(proxy)

    def fill(self, folder: str) -> None:
        """Leave no room on the file system of a folder."""
        with (Path(folder) / BALLAST).open("ab", buffering=0) as ballast:
            for size in (BLOCK_BYTES, 1):
                _write_all(ballast.write, bytes(size))

    def free(self, folder: str) -> None:
        """Give the room back."""
        (Path(folder) / BALLAST).unlink(missing_ok=True)

    def clock(self, file: str, ahead_s: float) -> None:
        """Set the clock that libfaketime reads from a file."""
        part = Path(f"{file}.part")
        part.write_text(f"{ahead_s:+f}\n")
        part.chmod(0o644)
        # At once or not at all: a clock that is half written would be read as another time.
        part.replace(file)

    def end(self) -> None:
        """Let go of everything."""
        for place in list(self._nets):
            self._leave(place)

    def _leave(self, place: str) -> None:
        if place in self._proxies:
            proxy = self._proxies.pop(place)
            proxy.kill()
            proxy.communicate()
        if place in self._nets:
            os.close(self._nets.pop(place))

    def _into(self, place: str, command: list[str]) -> list[str]:
        return ["nsenter", f"--net=/proc/self/fd/{self._nets[place]}", "--", *command]

    def _spawn(self, place: str, command: list[str]) -> subprocess.Popen[str]:
        proxy = subprocess.Popen(
            self._into(place, command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            pass_fds=[self._nets[place]],
        )
        assert proxy.stdout is not None
        if proxy.stdout.readline() != "ready\n":
            raise OSError(f"the proxy of {place} did not start")
        return proxy

    def _tell(self, proxy: subprocess.Popen[str]) -> None:
        assert proxy.stdin is not None
        proxy.stdin.write(f"{self._delay}\n")


def serve(lines: Iterable[str], out: TextIO) -> None:
    """Do what is asked, line by line, until there is nobody to ask more."""
    saboteur = Saboteur()
    deeds: dict[str, Callable[..., None]] = {
        deed.__name__: deed
        for deed in (saboteur.enter, saboteur.rules, saboteur.delay, saboteur.fill, saboteur.free, saboteur.clock)
    }
    try:
        for line in lines:
            asked: dict[str, Any] = json.loads(line)
            answer = {}
            try:
                deeds[asked.pop("do")](**asked)
            except (OSError, LookupError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=out, flush=True)
    finally:
        saboteur.end()


def _write_all(write: Callable[[bytes], int | None], block: bytes) -> None:
    try:
        while True:
            write(block)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
