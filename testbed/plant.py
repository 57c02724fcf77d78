"""How peers with a planted bug are started: as a process, or from an image that is derived from the peer's own."""

from __future__ import annotations

import subprocess
import sys

from testbed.cluster import ROOT, CannotRun
from testbed.planted import BUGS


def check_bug(bug: str) -> None:
    """Raise CannotRun unless there is such a bug."""
    if bug not in BUGS:
        raise CannotRun(f"there is no bug {bug!r} to plant; there are {', '.join(BUGS)}")


def planted_command(bug: str) -> list[str]:
    """Return the command that runs one peer with a bug. Raises CannotRun."""
    check_bug(bug)
    return [sys.executable, "-m", "testbed.planted", bug]


def planted_image(bug: str) -> str:
    """Build the image of a peer with a bug, and return its name. Raises CannotRun."""
    check_bug(bug)
    image, folder = f"grapevine-planted:{bug}", ROOT / "testbed"
    command = ["docker", "build", "--quiet", f"--build-arg=BUG={bug}", f"--tag={image}"]
    built = subprocess.run(
        [*command, f"--file={folder / 'planted.Dockerfile'}", str(folder)], capture_output=True, text=True, check=False
    )
    if built.returncode:
        raise CannotRun(f"the image of a peer with the bug {bug} cannot be built: {built.stderr.strip()}")
    return image
