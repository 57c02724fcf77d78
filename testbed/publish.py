"""Writes the page of a stored run: `report.html`, one file that needs neither a network nor anything beside it.

The rule: it is made of what is stored and of nothing else. What peers, clients and logs have said is data in it, never
markup or code: it is escaped, the page's own script and style are the only ones whose hashes its policy admits.
"""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from testbed import store
from testbed.page import Stored, page_of

NAME = "report.html"
ASSETS = Path(__file__).with_name("web")
# Read one after the other as one script; each uses only what stands before it.
SCRIPTS = ("run.js", "view.js", "story.js", "axis.js", "diagram.js", "plots.js", "panels.js", "main.js")
STYLES = ("page.css",)

_SLOT = re.compile(r"<!--([a-z]+)-->")


def publish(directory: Path) -> Path:
    """Write the page of a stored run, and return its path. Raises OSError, ValueError, LookupError if not whole."""
    path = directory / NAME
    path.write_text(rendered(page_of(read_stored(directory))), encoding="utf-8")
    return path


def read_stored(directory: Path) -> Stored:
    """Read all that is stored of a run."""
    history, evidence = store.read_run(directory)
    return Stored(
        about=json.loads((directory / "scenario.json").read_text(encoding="utf-8")),
        judgement=json.loads((directory / "verdict.json").read_text(encoding="utf-8")),
        history=history,
        evidence=evidence,
        messages=store.read_lines(directory / "messages.jsonl"),
        commits=store.read_lines(directory / "commits.jsonl"),
        logs=dict(_logs(directory / "logs")),
    )


def rendered(page: Mapping[str, Any]) -> str:
    """Return the whole page as HTML."""
    script = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in SCRIPTS)
    style = "\n".join((ASSETS / name).read_text(encoding="utf-8") for name in STYLES)
    slots = {
        "title": html.escape(f"{page['about']['name']}: {page['about']['ending']}"),
        "policy": f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:",
        "style": style,
        "script": script,
        "data": _escaped(json.dumps(page, ensure_ascii=False, separators=(",", ":"))),
    }
    # In one pass: what is put in may hold whatever it likes, also the name of another slot.
    template = (ASSETS / "page.html").read_text(encoding="utf-8")
    return _SLOT.sub(lambda slot: slots[slot[1]], template)


def _escaped(text: str) -> str:
    """Let JSON stand in a script element: nothing in it can end the element or begin a comment."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _hash(text: str) -> str:
    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _logs(directory: Path) -> Iterable[tuple[str, list[str]]]:
    for path in sorted(directory.glob("*.log")):
        # A process that was killed may have left half a character.
        yield path.stem, path.read_text(encoding="utf-8", errors="replace").splitlines()
