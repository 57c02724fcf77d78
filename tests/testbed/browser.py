"""A real browser for the page of a run: Chromium without a screen, what the page became, and what it complained of."""

from __future__ import annotations

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.requirements import require_chromium

COMPLAINT = re.compile(r"CONSOLE[^\"]*\"(.*)\", source")
# A container has little shared memory, and root has no sandbox.
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--enable-logging=stderr")


@dataclass(frozen=True, slots=True)
class Shown:
    """What a browser made of a page: its elements as HTML after all scripts, and every message on its console."""

    html: str
    complaints: list[str]

    def text(self, id_: str) -> str:
        """Return the text of an element that is no deeper than its section, without its tags."""
        (found,) = re.findall(
            rf'<(?:section|header|aside)[^>]* ?id="{id_}".*?</(?:section|header|aside)>', self.html, re.S
        )
        return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", found))


def open_page(page: Path, fragment: str = "", hands: str = "") -> Shown:
    """Open a page in a fresh browser, with a fragment after its address; `hands` is a script that uses the page.

    The page's policy admits no other script than its own, so hands are given a copy without a policy.
    """
    chromium = require_chromium()
    with tempfile.TemporaryDirectory() as profile:
        if hands:
            free = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text(encoding="utf-8"))
            page = Path(profile) / page.name
            page.write_text(free.replace("</body>", f"<script>{hands}</script></body>"), encoding="utf-8")
        command = [
            chromium,
            *OPTIONS,
            f"--user-data-dir={profile}",
            "--dump-dom",
            f"{page.absolute().as_uri()}{fragment}",
        ]
        done = subprocess.run(command, capture_output=True, timeout=100, check=True)
    return Shown(done.stdout.decode(), COMPLAINT.findall(done.stderr.decode(errors="replace")))
