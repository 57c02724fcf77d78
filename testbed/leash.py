"""Ends the processes of a run when the run itself has ended, in whatever way: even `kill -9` leaves nothing behind.

The leash is a process of its own, whose standard input is a pipe that only the runner holds. A line `+42` puts the
process group 42 on the leash, `-42` takes it off, and `!["umount", "/here"]` is a command that takes something back.
When the pipe closes, whatever is left is killed, and then the commands are run, the last one first.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterable


class Leash:
    """The runner's end of a leash."""

    def __init__(self) -> None:
        # A session of its own: a Ctrl-C at the terminal ends the runner, and then the leash must still be there.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__], stdin=subprocess.PIPE, start_new_session=True, text=True, bufsize=1
        )

    def hold(self, group: int) -> None:
        """Put a process group on the leash."""
        self._tell(f"+{group}\n")

    def release(self, group: int) -> None:
        """Take a process group that has ended off the leash, before its number can be somebody else's."""
        self._tell(f"-{group}\n")

    def undo(self, *command: str) -> None:
        """Run a command in the end; said before what it takes back is done, since there may be no later."""
        self._tell(f"!{json.dumps(command)}\n")

    def close(self) -> None:
        """Kill what is still on the leash, and undo what is to be undone."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def _tell(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line)


def watch(lines: Iterable[str]) -> None:
    """Read what is put on the leash and taken off until there is nobody to say more, then kill and undo the rest."""
    held: dict[int, None] = {}
    undone_by: list[list[str]] = []
    for line in lines:
        match line[0]:
            case "+":
                held[int(line[1:])] = None
            case "-":
                held.pop(int(line[1:]), None)
            case _:
                undone_by.append(json.loads(line[1:]))
    for group in held:
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass
    for command in reversed(undone_by):
        # What was never done cannot be undone, and says so to nobody.
        subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


if __name__ == "__main__":
    watch(sys.stdin)
