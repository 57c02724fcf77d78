"""Network namespaces for local processes: each place has an address of its own, and all meet at one switch.

The rule: how to take something away stands on the leash before it is there. Everything carries the runner's process id
in its name, so what a runner and its leash left behind that both were killed, the next one finds.
"""

from __future__ import annotations

import asyncio
import functools
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from testbed.cluster import CannotRun, is_alive
from testbed.leash import Leash
from testbed.neighbours import why_too_many

NAMESPACES = Path("/run/netns")
TOOLS = ("ip", "iptables-restore", "nsenter", "unshare")
# Benchmarks own these addresses (RFC 2544): 512 networks of 254 places, and nobody else routes them.
NETWORKS = 512
DISK_SIZE = "64m"

_OURS = re.compile(r"grapevine-([0-9]+)(-.*)?")


@dataclass(frozen=True, slots=True)
class Site:
    """Where a place is: its address, and the file of its network namespace."""

    address: str
    net: str


def why_no_namespaces() -> str:
    """Say why this machine gives no network namespaces to us; empty if it does."""
    if os.geteuid() != 0:
        return "links are cut in network namespaces, and making those needs root"
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        return f"links are cut in network namespaces, and there is no `{missing[0]}` on the PATH"
    refused = _try("unshare", "--net", "iptables-restore", "--test")
    return f"network namespaces cannot be made here: {refused}" if refused else ""


def why_no_disks() -> str:
    """Say why this machine lets us mount no small disks; empty if it does."""
    if os.geteuid() != 0:
        return "a disk that can be full is mounted, which needs root"
    refused = _try("unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt")
    return f"no disk can be mounted here: {refused}" if refused else ""


@functools.cache
def _try(*command: str) -> str:
    # Asked once: what a machine refuses it will refuse again.
    tried = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return (tried.stderr.strip() or f"exit code {tried.returncode}") if tried.returncode else ""


async def make_namespaces(leash: Leash, places: Sequence[str]) -> dict[str, Site]:
    """Make a namespace for each place, all linked to each other and to this machine. Raises CannotRun."""
    if too_many := why_too_many(len(places)):
        raise CannotRun(too_many)
    me = os.getpid()
    prefix, switch, here = f"grapevine-{me}-", f"grapevine-{me}-switch", f"gv{me}"
    network = await _free_network(me)
    sites = {place: Site(f"{network}.{number}", str(NAMESPACES / f"{prefix}{place}"))
             for number, place in enumerate(places, 2)}  # fmt: skip
    for name in (switch, *(f"{prefix}{place}" for place in places)):
        leash.undo("ip", "netns", "delete", name)
    # It would go with the switch, but only when the kernel gets round to it.
    leash.undo("ip", "link", "delete", here)
    await _ip(
        f"netns add {switch}",
        *(f"netns add {prefix}{place}" for place in places),
        f"link add {here} type veth peer name here netns {switch}",
        *(f"link add link-{number} netns {switch} type veth peer name eth0 netns {prefix}{place}"
          for number, place in enumerate(places)),
        f"address add {network}.1/24 dev {here}",
        f"link set {here} up",
    )  # fmt: skip
    ports = ("here", *(f"link-{number}" for number in range(len(places))))
    # The switch has a namespace of its own: beside a Docker engine, a bridge's packets would pass that one's firewall.
    await asyncio.gather(
        _ip(
            "link add switch type bridge forward_delay 0",
            *(f"link set {port} master switch up" for port in ports),
            "link set switch up",
            inside=switch,
        ),
        *(
            _ip("link set lo up", f"address add {site.address}/24 dev eth0", "link set eth0 up", inside=prefix + place)
            for place, site in sites.items()
        ),
    )
    return sites


async def mount_disk(leash: Leash, folder: Path) -> None:
    """Mount a small disk on a folder. Raises CannotRun."""
    leash.undo("umount", "--lazy", str(folder))
    options = f"size={DISK_SIZE},mode=700"
    await _run("mount", "-t", "tmpfs", "-o", options, f"grapevine-{os.getpid()}", str(folder))


async def remove_leftovers() -> None:
    """Take away the namespaces and disks of runners that are no longer alive."""
    if os.geteuid() == 0:
        for command in [*_left_namespaces(), *_left_disks()]:
            await _run(*command)


def _left_namespaces() -> list[tuple[str, ...]]:
    names = sorted(path.name for path in NAMESPACES.iterdir()) if NAMESPACES.is_dir() else []
    return [("ip", "netns", "delete", name) for name in names if _is_left_over(name)]


def _left_disks() -> list[tuple[str, ...]]:
    mounts = [line.split()[:2] for line in Path("/proc/mounts").read_text().splitlines()]
    # The kernel writes a space in a path as \040.
    folders = [folder.encode().decode("unicode_escape") for source, folder in mounts if _is_left_over(source)]
    return [("umount", "--lazy", folder) for folder in folders]


def _is_left_over(name: str) -> bool:
    found = _OURS.fullmatch(name)
    return found is not None and not is_alive(int(found[1]))


async def _free_network(wish: int) -> str:
    """Return the first three numbers of a network that nobody uses, so that runs beside each other do not meet."""
    taken = await _run("ip", "-4", "route")
    networks = (
        f"198.{18 + number // 256}.{number % 256}" for number in ((wish + n) % NETWORKS for n in range(NETWORKS))
    )
    for network in networks:
        if f"{network}.0/24" not in taken:
            return network
    raise CannotRun("no network of 198.18.0.0/15 is free")


async def _ip(*lines: str, inside: str | None = None) -> None:
    where = ("-n", inside) if inside else ()
    await _run("ip", *where, "-batch", "-", told="\n".join(lines))


async def _run(*command: str, told: str = "") -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True
    )
    said, _ = await process.communicate(told.encode())
    if process.returncode:
        raise CannotRun(f"{' '.join(command)} failed: {said.decode(errors='replace').strip()}")
    return said.decode()
