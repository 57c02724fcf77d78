"""What a run adds to the project's Compose file: its peers as services of their own, and what its faults need. Pure.

Each peer is a service, so that it can have a disk and a clock of its own. JSON is YAML, so this is a Compose file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

SABOTEUR = "saboteur"
SABOTEUR_IMAGE = "grapevine-saboteur"
CLOCKED_IMAGE = "grapevine-peer-clocked"
DISKS, CLOCKS = "/disks", "/clocks"
# It lives as long as a container is up that has it mounted: the saboteur, which outlives all peers.
SMALL_DISK = {"type": "tmpfs", "device": "tmpfs", "o": "size=64m,uid=10001,gid=10001,mode=700"}


def composition(peers: Sequence[str], *, disks: bool, clocks: bool, saboteur: bool) -> dict[str, Any]:
    """Return the services and volumes of a run, besides the Grapes: peers with small `disks`, settable `clocks`."""
    services: dict[str, Any] = {"peer": {"scale": 0}}
    volumes: dict[str, Any] = {}
    for peer in peers:
        services[peer] = {"extends": {"file": "compose.yaml", "service": "peer"}, "scale": 1, "volumes": []}
        services[peer]["healthcheck"] = {"disable": True}
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
