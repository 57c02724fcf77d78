"""The page of a run, written from what is stored, and opened in a real browser."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from testbed import catalog, runner, store
from testbed.__main__ import main
from testbed.checkers import CHECKERS, exit_code, judge
from testbed.publish import NAME, publish
from tests.testbed.browser import open_page
from tests.testbed.test_page import overfilled
from tests.testbed.world import NAMES, World

OUTSIDE = re.compile(r"""(?:src|href)\s*=\s*["'](?!#)|@import|url\(|https?://""")


def store_world(directory: Path, world: World) -> None:
    """Store a world as a run does."""
    evidence = world.evidence()
    about = {"name": "test", "title": "A test", "on": "processes", "seed": 0, "command": "make scenario NAME=test"}
    store.write_json(directory / "scenario.json", {**about, "peers": NAMES, "late": [], "began_s": 0.0})
    (directory / "history.jsonl").write_text("".join(f"{event.line()}\n" for event in world.history.events))
    store.write_evidence(directory, evidence)
    verdicts = judge(world.history, evidence)
    store.write_verdict(directory, verdicts, exit_code(verdicts, evidence), "")


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a simulated run."""
    runs = tmp_path_factory.mktemp("runs")
    assert runner.run(catalog.load("killed_peer", seed=7), "simulation", runs) == 0
    return (runs / "latest").resolve()


def test_a_run_leaves_its_page_and_judging_it_again_writes_the_same(simulated: Path) -> None:
    written = (simulated / NAME).read_bytes()
    (simulated / NAME).unlink()
    assert main(["judge", str(simulated)]) == 0
    assert (simulated / NAME).read_bytes() == written


def test_a_page_asks_for_nothing_outside_itself(simulated: Path) -> None:
    page = re.sub(r'<script type="application/json".*?</script>', "", (simulated / NAME).read_text(), flags=re.S)
    assert OUTSIDE.findall(page) == []
    assert "default-src 'none'" in page


def test_the_browser_shows_a_simulated_run_without_a_complaint(simulated: Path) -> None:
    shown = open_page(simulated / NAME)
    assert shown.complaints == []
    assert "everything holds" in shown.text("head")
    assert "make scenario NAME=killed_peer ON=simulation PEERS=3 SEED=7" in shown.text("head")
    assert f"{len(CHECKERS)} checks hold" in shown.text("checks")
    assert "the same on all 3 living peers" in shown.text("books")
    assert "shown by" in shown.text("lists")


def test_an_address_with_an_order_shows_its_story(simulated: Path) -> None:
    shown = open_page(simulated / NAME, "#order=peer-1-1")
    story = shown.text("story")
    assert shown.complaints == []
    parts = [
        "submit sell 1 BTC-USD at 100 at peer-1",
        "peer-1 accepts peer-1-1 : sell 1 BTC-USD at 100",
        "peer-1 → peer-2: ORDER_SUBMITTED",
        "FILL_ORDER",
        "grants 1 at 100 of peer-1-1",
        "learns that",
    ]
    places = [story.find(part) for part in parts]
    assert -1 not in places
    assert places == sorted(places)
    assert "1 filled + 0 reserved of 1" in story


HANDS = """
const canvas = pictures[0].canvas;
const at = (thing) => [pictures[0].x(thing.start), entryY(thing)];
const point = (type, [x, y]) => {
  const place = canvas.getBoundingClientRect();
  canvas.dispatchEvent(new MouseEvent(type, { clientX: place.left + x, clientY: place.top + y, bubbles: true }));
};
addEventListener("load", () => {
  canvas.setPointerCapture = () => {};
  const granted = run.entries.find((entry) => entry.type === "FILL_GRANTED");
  view.visit(granted);
  point("pointermove", at(granted));
  document.body.dataset.tip = document.getElementById("tip").textContent;
  const before = view.to - view.from;
  document.getElementById("in").click();
  document.body.dataset.zoomed = (before / (view.to - view.from)).toFixed(1);
  point("pointerdown", at(granted));
  point("pointerup", at(granted));
  document.body.dataset.pinned = view.pinned === granted;
  view.follow(granted.orders[0]);
  view.whole();
  const other = run.entries.findLast((entry) => !view.shows(entry));
  document.body.dataset.hides = under(pictures[0], ...at(other)) !== other;
  view.whole();
  document.body.dataset.whole = view.from < run.begin && view.to > run.end;
});
"""


def test_hands_find_what_they_point_at(simulated: Path) -> None:
    shown = open_page(simulated / NAME, hands=HANDS)
    assert shown.complaints == []
    found = dict(re.findall(r'data-(\w+)="([^"]*)"', shown.html[shown.html.index("<body") :].partition(">")[0]))
    assert "grants 1 at 100 of peer-1-1" in found["tip"]
    assert "FILL_GRANTED" in found["tip"]
    assert {name: found[name] for name in ("zoomed", "pinned", "hides", "whole")} == {
        "zoomed": "2.0", "pinned": "true", "hides": "true", "whole": "true"
    }  # fmt: skip


def test_a_violated_run_begins_with_the_first_entry_that_should_not_be(tmp_path: Path) -> None:
    store_world(tmp_path, overfilled()[0])
    shown = open_page(publish(tmp_path))
    checks = shown.text("checks")
    assert shown.complaints == []
    assert checks.index("Begin here") < checks.index("no_overfill violated") < checks.index("checks hold")
    assert re.search(r"grants 8 at 100 of peer-1-1 to peer-2-1 ; 0 left .*?fill peer-2-2 is decided once more", checks)
    assert re.search(r"order peer-1-1|peer-1-1 : 12 filled", checks)


def test_a_page_of_real_peers_draws_fills_from_the_ledgers_alone(tmp_path: Path) -> None:
    world = World()
    bid, ask = world.place("peer-1", "buy", "10", "100"), world.place("peer-2", "sell", "4", "99")
    world.fill(ask, bid, "4", "0", "6")
    store_world(tmp_path, world)
    shown = open_page(publish(tmp_path))
    assert shown.complaints == []
    assert "told from their ledgers alone" in shown.html
    assert "empty messages" not in re.sub(r"<script.*?</script>", "", shown.html, flags=re.S)


def test_what_a_run_has_said_is_text_and_never_markup_or_code(tmp_path: Path) -> None:
    hostile = (
        "</script><script>document.title = 'owned'</script><!--style--><img src=x onerror=\"document.title = 'owned'\">"
    )
    world = World()
    order = world.place("peer-1", "buy", "1", "100", clientOrderId=hostile)
    world.submit(order, hostile, outcome="info", error=hostile)
    store_world(tmp_path, world)
    store.write_json(
        tmp_path / "scenario.json", json.loads((tmp_path / "scenario.json").read_text()) | {"title": hostile}
    )
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "peer-1.log").write_bytes(hostile.encode() + b"\xff\nTraceback (most recent call last):\n")
    shown = open_page(publish(tmp_path), "#order=peer-1-1")
    assert shown.complaints == []
    assert "owned</title>" not in shown.html
    assert "&lt;/script&gt;&lt;script&gt;document.title" in shown.html
    assert "1 of panic" in shown.text("logs")
    assert "<img" not in shown.html.replace("&lt;img", "")
