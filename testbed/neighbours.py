"""How many places can all talk to each other on one machine: its kernel keeps one table of neighbours for all of them.

Each network namespace, and so each container, has an entry there for every place that it talks to, and one for its way
to the machine. When the table is full nothing is said of it: whoever comes last stays out of reach for some of the
others. So it is the rule to count before anything is started. Standard library only: the doctor asks here too.
"""

from __future__ import annotations

from pathlib import Path

KEPT = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")


def why_too_many(places: int, kept: Path = KEPT) -> str:
    """Say why so many places, each with an address of its own, cannot all talk to each other.

    Empty if they can, or if nobody here knows: the number stands in `kept` on the machine itself, and in no container.
    """
    # Each has the others and the machine, which has each of them.
    needed = places * places + places
    try:
        limit = int(kept.read_text())
    except (OSError, ValueError):
        return ""
    if needed <= limit:
        return ""
    return (
        f"{places} places that all talk to each other need {needed:,} entries in the kernel's table of neighbours, "
        f"which keeps {limit:,} (`{command_for(places)}`)"
    )


def command_for(places: int) -> str:
    """Return the command that makes room for so many places, and as many entries again for whoever else is there."""
    return f"sysctl -w net.ipv4.neigh.default.gc_thresh3={2 * (places * places + places)}"
