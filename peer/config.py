"""What a peer is told at its start: flags, each with an environment variable behind it."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from peer.picture import SNAPSHOT_EVERY


@dataclass(frozen=True, slots=True)
class Config:
    """Where a peer listens, keeps its data, and finds Grapes; and the key that it shares with its network.

    After `snapshot_every` entries it sums up its ledger.
    """

    host: str
    port: int
    data: Path
    grapes: tuple[str, ...]
    dht: tuple[str, ...]
    network_key: bytes = field(default=b"", repr=False)
    snapshot_every: int = SNAPSHOT_EVERY


def read_config(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Config:
    """Read the command line; what it leaves out comes from GRAPEVINE_<FLAG>, then from the default."""
    parser = argparse.ArgumentParser(prog="peer", description="One peer of a Grapevine exchange.")
    for name, default, help in (
        ("host", "127.0.0.1", "address to listen on"),
        ("port", "4000", "TCP port to listen on, 0 for any"),
        ("data", "data", "folder of this peer's key and ledgers"),
        ("grapes", "http://127.0.0.1:30001", "HTTP APIs of the Grapes, separated by commas"),
        ("dht", "127.0.0.1:20001", "DHT ports of the same Grapes, separated by commas"),
        ("snapshot-every", str(SNAPSHOT_EVERY), "entries of the ledger from one snapshot to the next"),
    ):
        _flag(parser, environment, name, default, help)
    tell_of_the_key(parser, environment)
    found = parser.parse_args(arguments)
    if not str(found.port).isdecimal() or int(found.port) > 65535:
        parser.error(f"--port must be a number from 0 to 65535, not {found.port}")
    if not str(found.snapshot_every).isdecimal() or not int(found.snapshot_every):
        parser.error(f"--snapshot-every must be a number from 1, not {found.snapshot_every}")
    grapes, dht = _listed(found.grapes), _listed(found.dht)
    key, snapshot_every = key_of(parser, found), int(found.snapshot_every)
    return Config(found.host, int(found.port), Path(found.data), grapes, dht, key, snapshot_every)


def tell_of_the_key(parser: argparse.ArgumentParser, environment: Mapping[str, str]) -> None:
    """Let a program be told the network's key, or the file that holds it."""
    _flag(parser, environment, "network-key", "", "secret that all peers of one network share")
    _flag(parser, environment, "network-key-file", "", "file that holds it, so that no list of processes shows it")


def key_of(parser: argparse.ArgumentParser, found: argparse.Namespace) -> bytes:
    """Return the key that a program was told; a file goes before, and the space around its text does not count."""
    if not found.network_key_file:
        return str(found.network_key).encode()
    try:
        key = Path(found.network_key_file).read_bytes().strip()
    except OSError as error:
        parser.error(f"--network-key-file cannot be read: {error}")
    if not key:
        parser.error(f"--network-key-file names {found.network_key_file}, which is empty")
    return key


def _flag(parser: argparse.ArgumentParser, environment: Mapping[str, str], name: str, default: str, help: str) -> None:
    variable = f"GRAPEVINE_{name.upper().replace('-', '_')}"
    told = f"{help} (${variable}, default {default or 'none'})"
    parser.add_argument(f"--{name}", default=environment.get(variable) or default, help=told)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())
