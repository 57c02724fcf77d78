"""`python -m testbed.doctor`: what this machine can run, what is missing, and the command that mends it.

The rule: only the standard library, for it runs before anything is installed; and it looks, and changes nothing.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from testbed.neighbours import command_for, why_too_many

# Thirty peers and two Grapes, in the largest of the scenarios.
MOST_PLACES = 32
ROOT = Path(__file__).resolve().parent.parent
LOOK_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is here or not, what it serves, and the command that brings it."""

    name: str
    is_here: bool
    serves: str
    mend: str

    def row(self) -> str:
        """Return a line for people."""
        if self.is_here:
            return f"✓ {self.name}"
        return f"✗ {self.name:34} for {self.serves}: {self.mend}"


def findings() -> Iterator[Finding]:
    """Look at everything, the necessary first."""
    yield Finding("Python 3.11 to 3.13", (3, 11) <= sys.version_info < (3, 14), "everything", "make PYTHON=python3.12")
    # Where an environment is there already, nothing is needed to make one.
    has_environment = (ROOT / ".venv" / "bin" / "python").exists()
    can_make = has_environment or importlib.util.find_spec("ensurepip") is not None
    yield Finding("venv", can_make, "everything", _apt("python3-venv"))
    yield Finding("the Python environment", has_environment, "everything", "make setup")
    yield Finding("git", _has("git"), "the tests of the house rules", _apt("git"))
    yield from _docker()
    yield Finding("Node.js and npm", _has("node") and _has("npm"), "peers as processes", _apt("nodejs npm"))
    grape = (ROOT / "grape" / "node_modules" / "grenache-grape").is_dir()
    yield Finding("upstream Grape", grape, "peers as processes", "make grapes")
    yield from _links()
    yield Finding("Chromium", _has("chromium") or _has("google-chrome"), "the tests of the report", _apt("chromium"))


def places(found: list[Finding]) -> list[str]:
    """Return the clusters that this machine can run scenarios on."""
    missing = {finding.serves for finding in found if not finding.is_here}
    if "everything" in missing:
        return []
    wants = {"containers": "peers as containers", "processes": "peers as processes"}
    return [*(place for place, served in wants.items() if served not in missing), "simulation"]


def main() -> int:
    """Print all findings; 0 if at least a simulation can be run."""
    found = list(findings())
    for finding in found:
        print(finding.row())
    can = places(found)
    print(f"\nScenarios can be run on {', '.join(can)}." if can else "\nNothing can be run yet.")
    return 0 if can else 1


def _docker() -> Iterator[Finding]:
    answers = _works("docker", "version")
    served = "peers as containers"
    yield Finding("a Docker engine that answers", answers, served, "make docker")
    yield Finding("Docker Compose", answers and _works("docker", "compose", "version"), served, "make docker")
    yield Finding("Docker Buildx", answers and _works("docker", "buildx", "version"), served, "make docker")
    images = answers and all(_works("docker", "image", "inspect", f"grapevine-{name}") for name in ("peer", "grape"))
    yield Finding("the images", images, served, "make images")
    has_room = not why_too_many(MOST_PLACES)
    yield Finding("room for thirty containers", has_room, "thirty peers as containers", command_for(MOST_PLACES))


def _links() -> Iterator[Finding]:
    served = "cuts and bad links between processes"
    yield Finding("root", os.geteuid() == 0, served, "run make as root")
    yield Finding("ip and iptables", _has("ip") and _has("iptables"), served, _apt("iproute2 iptables"))
    namespaces = _works("unshare", "--net", "true")
    yield Finding("network namespaces", namespaces, served, "run make as root, outside of any container")


def _has(program: str) -> bool:
    return shutil.which(program) is not None


def _works(*command: str) -> bool:
    if not _has(command[0]):
        return False
    quiet = subprocess.DEVNULL
    try:
        done = subprocess.run(command, stdin=quiet, stdout=quiet, stderr=quiet, timeout=LOOK_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def _apt(packages: str) -> str:
    return f"apt-get install -y {packages}"


if __name__ == "__main__":
    sys.exit(main())
