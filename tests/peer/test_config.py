"""The command line: flags, then the environment, then defaults that fit one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from peer.config import Config, read_config
from peer.picture import Past


def test_without_a_word_a_peer_serves_this_machine() -> None:
    assert read_config([], {}) == Config(
        "127.0.0.1", 4000, Path("data"), ("http://127.0.0.1:30001",), ("127.0.0.1:20001",)
    )


def test_a_flag_goes_before_the_environment() -> None:
    environment = {"GRAPEVINE_PORT": "5000", "GRAPEVINE_HOST": "0.0.0.0", "GRAPEVINE_DATA": ""}
    found = read_config(["--port", "6000"], environment)
    assert (found.host, found.port, found.data) == ("0.0.0.0", 6000, Path("data"))


def test_the_network_key_comes_from_the_environment_or_a_file_and_is_never_shown(tmp_path: Path) -> None:
    assert read_config([], {}).network_key == b""
    found = read_config([], {"GRAPEVINE_NETWORK_KEY": "swordfish"})
    assert found.network_key == b"swordfish"
    assert "swordfish" not in repr(found)
    secret = tmp_path / "key"
    secret.write_text("from a file\n")
    environment = {"GRAPEVINE_NETWORK_KEY_FILE": str(secret), "GRAPEVINE_NETWORK_KEY": "swordfish"}
    assert read_config([], environment).network_key == b"from a file"


@pytest.mark.parametrize("content", [None, " \n"])
def test_a_key_file_without_a_key_is_no_open_network(
    tmp_path: Path, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    with pytest.raises(SystemExit):
        read_config(["--network-key-file", str(tmp_path / "key")], {})
    assert "--network-key-file" in capsys.readouterr().err


def test_how_often_a_ledger_is_summed_up_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    assert read_config([], {}).snapshot_every == Past().snapshot_every
    assert read_config([], {"GRAPEVINE_SNAPSHOT_EVERY": "50"}).snapshot_every == 50
    with pytest.raises(SystemExit):
        read_config(["--snapshot-every", "0"], {})
    assert "--snapshot-every" in capsys.readouterr().err


def test_several_grapes_are_separated_by_commas() -> None:
    found = read_config(["--grapes", "http://a:30001, http://b:30001,", "--dht", "a:20001,b:20001"], {})
    assert found.grapes == ("http://a:30001", "http://b:30001")
    assert found.dht == ("a:20001", "b:20001")


@pytest.mark.parametrize("port", ["", "x", "-1", "65536", "4e3"])
def test_what_is_no_port_ends_with_a_sentence(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read_config([f"--port={port}"], {})
    assert "--port must be a number from 0 to 65535" in capsys.readouterr().err
