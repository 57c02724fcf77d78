"""What a run changes of the project's Compose file: its peers as services of their own, and what its faults need. Pure.

Each peer is a service, so that it can have a disk and a clock of its own. JSON is YAML, so this is a Compose file.
Nothing asks for health here: the runner asks the peers itself, and a process in every container several times a second
would only slow them down while they come up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from testbed.script import GRAPES

SABOTEUR = "saboteur"
SABOTEUR_IMAGE = "grapevine-saboteur"
CLOCKED_IMAGE = "grapevine-peer-clocked"
DISKS, CLOCKS = "/disks", "/clocks"
NO_HEALTHCHECK = {"disable": True}
# It lives as long as a container is up that has it mounted: the saboteur, which outlives all peers.
SMALL_DISK = {"type": "tmpfs", "device": "tmpfs", "o": "size=64m,uid=10001,gid=10001,mode=700"}


def composition(base: str, peers: Sequence[str], *, disks: bool, clocks: bool, saboteur: bool) -> dict[str, Any]:
    """Return what is laid over the Compose file `base`: peers, on small `disks` and settable `clocks` if it is said."""
    services: dict[str, Any] = {grape: {"healthcheck": NO_HEALTHCHECK} for grape in GRAPES}
    services["peer"] = {"scale": 0}
    volumes: dict[str, Any] = {}
    for peer in peers:
        services[peer] = {"extends": {"file": base, "service": "peer"}, "scale": 1, "volumes": []}
        services[peer]["healthcheck"] = NO_HEALTHCHECK
        if disks:
            volumes[f"disk-{peer}"] = {"driver_opts": SMALL_DISK}
            services[peer]["volumes"].append(f"disk-{peer}:/data")
        if clocks:
            services[peer]["image"] = CLOCKED_IMAGE
            services[peer]["environment"] = {"FAKETIME_TIMESTAMP_FILE": f"{CLOCKS}/{peer}"}
            services[peer]["volumes"].append(f"clocks:{CLOCKS}:ro")
    if clocks:
        volumes["clocks"] = {}
    if saboteur:
        services[SABOTEUR] = _saboteur([f"disk-{peer}:{DISKS}/{peer}" for peer in peers if disks], clocks)
    return {"services": services, "volumes": volumes}


def _saboteur(disks: list[str], clocks: bool) -> dict[str, Any]:
    return {
        "image": SABOTEUR_IMAGE,
        # It enters the network namespaces of other containers, by the number of a process in each.
        "pid": "host",
        "privileged": True,
        # So that it can tell when what it was to enter is the network of the machine itself.
        "network_mode": "host",
        "stdin_open": True,
        "volumes": [*disks, *([f"clocks:{CLOCKS}"] if clocks else [])],
    }
