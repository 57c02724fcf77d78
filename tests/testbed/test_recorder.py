"""What a simulation records of messages and commits, and that it is the same run without it."""

from __future__ import annotations

from collections import Counter

from testbed import runner
from testbed.catalog import Scenario
from testbed.evidence import Evidence
from testbed.history import History
from testbed.script import Buy, Cut, Mend, Quiet, Script, Sell, Wait, Weather
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.recorder import Recorder

PEERS = ("peer-1", "peer-2", "peer-3")


def stormy() -> Script:
    yield Weather(loss=0.2, duplication=0.3, latest_s=0.1)
    yield Cut("peer-1", "peer-2")
    for number in range(12):
        yield Buy(PEERS[number % 3], "1", "X", at="100")
        yield Sell(PEERS[number % 2], "1", "X", at="100")
        yield Wait(0.2)
    yield Mend("peer-1", "peer-2")
    yield Weather()
    yield Quiet()


def play(recorder: Recorder) -> tuple[list[str], SimulationCluster, Evidence]:
    cluster, lines = SimulationCluster(3, recorder), list[str]()
    scenario = Scenario("test", "A test", PEERS, (), stormy)
    evidence, why = virtual_time.run(
        cluster.world.agenda, runner.play(scenario, cluster, History(lambda line: lines.append(line)))
    )
    assert why == ""
    return lines, cluster, evidence


def test_a_run_is_the_same_whether_anybody_looks_on_or_not() -> None:
    assert play(Recorder(10**6, 10**6))[0] == play(Recorder())[0]


def test_every_message_is_recorded_with_its_fate() -> None:
    recorder = Recorder(10**6)
    _, cluster, _ = play(recorder)
    fates, seen = Counter(flight.fate for flight in recorder.flights), cluster.world.seen
    assert fates["lost"] == seen["messages lost"] > 0
    assert fates["cut off"] == seen["messages cut off"] > 0
    assert fates["arrived"] > fates["lost"]
    first = next(message for message in recorder.messages() if message["envelope"]["messages"])
    assert 0 <= first["sent_s"] <= first["ended_s"]
    assert all(not isinstance(batch["ledger"]["entries"], list) for batch in first["envelope"]["messages"])


def test_every_entry_comes_to_its_owners_disk_before_any_other() -> None:
    recorder = Recorder(0, 10**6)
    _, _, evidence = play(recorder)
    came = {(one["peer"], one["owner"], one["sequence"]): one["time_s"] for one in recorder.commits()}
    owners = {id_: name for name, id_ in evidence.peer_ids.items()}
    assert len(came) == sum(len(copy.texts) for copies in evidence.ledgers.values() for copy in copies.values())
    assert all(came[owners[owner], owner, sequence] <= time_s for (_, owner, sequence), time_s in came.items())


def test_it_keeps_no_more_than_it_was_told_to() -> None:
    recorder = Recorder(5, 5)
    play(recorder)
    assert len(recorder.flights) == 5
    assert len(recorder.entries) < 5 + 100
