"""The command line: flags, then the environment, then defaults that fit one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from peer.config import Config, read_config


def test_without_a_word_a_peer_serves_this_machine() -> None:
    assert read_config([], {}) == Config(
        "127.0.0.1", 4000, Path("data"), ("http://127.0.0.1:30001",), ("127.0.0.1:20001",)
    )


def test_a_flag_goes_before_the_environment() -> None:
    environment = {"GRAPEVINE_PORT": "5000", "GRAPEVINE_HOST": "0.0.0.0", "GRAPEVINE_DATA": ""}
    found = read_config(["--port", "6000"], environment)
    assert (found.host, found.port, found.data) == ("0.0.0.0", 6000, Path("data"))


def test_several_grapes_are_separated_by_commas() -> None:
    found = read_config(["--grapes", "http://a:30001, http://b:30001,", "--dht", "a:20001,b:20001"], {})
    assert found.grapes == ("http://a:30001", "http://b:30001")
    assert found.dht == ("a:20001", "b:20001")


@pytest.mark.parametrize("port", ["", "x", "-1", "65536", "4e3"])
def test_what_is_no_port_ends_with_a_sentence(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_config([f"--port={port}"], {})
    assert "--port must be a number from 0 to 65535" in capsys.readouterr().err
