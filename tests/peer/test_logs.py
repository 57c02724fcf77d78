"""Log lines: each one JSON object, whatever is logged."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

import pytest

from peer.logs import JsonLines, log_to_stderr


def record(message: str, *arguments: object) -> logging.LogRecord:
    return logging.LogRecord("peer", logging.WARNING, __file__, 1, message, arguments, None)


def test_a_line_says_when_how_bad_who_and_what() -> None:
    line = json.loads(JsonLines("abc").format(record("port %d\nis %s", 4000, "täken")))
    assert (line["level"], line["peer"], line["message"]) == ("warning", "abc", "port 4000\nis täken")
    assert datetime.fromisoformat(line["time"]).tzinfo == UTC


def test_a_line_is_one_line() -> None:
    assert "\n" not in JsonLines("abc").format(record("a\nb"))


def test_an_exception_comes_with_its_traceback() -> None:
    try:
        raise OSError("disk full")
    except OSError:
        failure = record("this peer must end")
        failure.exc_info = sys.exc_info()
    assert "OSError: disk full" in json.loads(JsonLines("abc").format(failure))["traceback"]


def test_everything_from_info_on_goes_to_stderr(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", list(root.handlers))
    monkeypatch.setattr(root, "level", root.level)
    log_to_stderr("abc")
    logging.getLogger("peer.x").info("up")
    logging.getLogger("peer.x").debug("detail")
    (line,) = capsys.readouterr().err.splitlines()
    assert json.loads(line)["message"] == "up"
