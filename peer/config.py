"""What a peer is told at its start: flags, each with an environment variable behind it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """Where a peer listens, keeps its data, and finds Grapes."""

    host: str
    port: int
    data: Path
    grapes: tuple[str, ...]
    dht: tuple[str, ...]


def read_config(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Config:
    """Read the command line; what it leaves out comes from GRAPEVINE_<FLAG>, then from the default."""
    parser = argparse.ArgumentParser(prog="peer", description="One peer of a Grapevine exchange.")

    def flag(name: str, default: str, help: str) -> None:
        variable = f"GRAPEVINE_{name.upper()}"
        parser.add_argument(
            f"--{name}", default=environment.get(variable) or default, help=f"{help} (${variable}, default {default})"
        )

    flag("host", "127.0.0.1", "address to listen on")
    flag("port", "4000", "TCP port to listen on, 0 for any")
    flag("data", "data", "folder of this peer's key and ledgers")
    flag("grapes", "http://127.0.0.1:30001", "HTTP APIs of the Grapes, separated by commas")
    flag("dht", "127.0.0.1:20001", "DHT ports of the same Grapes, separated by commas")
    found = parser.parse_args(arguments)
    if not str(found.port).isdecimal() or int(found.port) > 65535:
        parser.error(f"--port must be a number from 0 to 65535, not {found.port}")
    return Config(found.host, int(found.port), Path(found.data), _listed(found.grapes), _listed(found.dht))


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
