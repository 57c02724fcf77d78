"""One run from start to verdict: check the script, start the peers, play, wait for quiet, collect, tear down, judge.

The rule: whatever happens on the way, be it Ctrl-C, everything that was started is ended, and what was seen is kept.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pygrenache import RpcClient
from testbed import junit, store
from testbed.catalog import Scenario
from testbed.checkers import HOLDS, exit_code, judge
from testbed.cluster import ROOT, CannotRun, Cluster
from testbed.containers import PEER_IMAGE, ContainerCluster, docker_works
from testbed.door import Client
from testbed.driver import Driver
from testbed.evidence import Evidence
from testbed.history import History
from testbed.observer import NoQuiet, Observer, machine_overload
from testbed.plant import planted_command, planted_image
from testbed.processes import PEER_COMMAND, ProcessCluster, node_is_here
from testbed.progress import Progress
from testbed.publish import publish
from testbed.rehearsal import faults, problems, rehearse, unsupported
from testbed.report import account
from testbed.script import BadScript, Fault, Script
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulatedClient, SimulationCluster
from testbed.simulation.recorder import MAX_COMMITTED, MAX_MESSAGES, Recorder

RUNS = ROOT / "runs"
CLUSTERS = ("containers", "processes", "simulation")
REQUEST_TIMEOUT_S = 5.0
# A scenario may be far larger than a drawn run; what takes more than this is not being large.
SIMULATED_EFFORT = 20_000_000


def choose_cluster(wanted: str | None, say: Callable[[str], None]) -> str:
    """Return the cluster to run on: the wanted one, else the most real one that this machine can have."""
    if wanted is not None:
        return wanted
    if docker_works():
        return "containers"
    if node_is_here():
        say("No Docker engine answers here, so the peers run as local processes (ON=containers insists on Docker).")
        return "processes"
    say("Neither a Docker engine nor Node.js is here, so the peers are simulated (ON=processes insists on real ones).")
    return "simulation"


def run(scenario: Scenario, on: str, runs: Path, plant: str = "") -> int:
    """Run a scenario, print its account, store it, and return the exit code; `plant` names a bug to plant in all peers.

    Raises:
        BadScript: the script cannot be played.
        CannotRun: this machine or this cluster cannot run it.
    """
    began = time.monotonic()
    directory = store.directory_for(runs, scenario.name)
    cluster = _cluster(on, directory, scenario, plant)
    check(scenario, cluster)
    store.begin(directory)
    progress = Progress(sys.stdout) if sys.stdout.isatty() else None
    codes: list[int] = []

    def record(line: str) -> None:
        file.write(f"{line}\n")
        if progress is not None:
            progress.note(history.events[-1])

    def conclude(evidence: Evidence, why: str) -> None:
        if progress is not None:
            progress.erase()
        store.write_evidence(directory, evidence)
        codes.append(judged(directory, history, evidence, why))
        where = directory.relative_to(ROOT) if directory.is_relative_to(ROOT) else directory
        print(f"{time.monotonic() - began:.1f} s on {on}; everything about it is in {where}", flush=True)

    with (directory / "history.jsonl").open("w", encoding="utf-8", buffering=1) as file:
        history = History(record)
        playing = _announced(directory, scenario, cluster, play(scenario, cluster, history, conclude, progress))
        if isinstance(cluster, SimulationCluster):
            virtual_time.run(cluster.world.agenda, playing)
            store.write_lines(directory / "messages.jsonl", cluster.recorder.messages())
            store.write_lines(directory / "commits.jsonl", cluster.recorder.commits())
        else:
            asyncio.run(_interruptible(playing))
    # Only now: the logs of containers are kept when they are taken down.
    print(f"to look at in a browser: {publish(directory)}\n", flush=True)
    return codes[0]


@contextmanager
def inspected(on: str) -> Iterator[Cluster]:
    """Lend a cluster that is never opened, to be asked what it can do. Raises CannotRun."""

    def nothing() -> Script:
        yield from ()

    with TemporaryDirectory() as folder:
        cluster = _cluster(on, Path(folder), Scenario("inspection", "", (), (), nothing), "")
        try:
            yield cluster
        finally:
            asyncio.run(cluster.close())


def repeats(scenario: Scenario, on: str) -> str:
    """Return the command that repeats a run: to the byte on simulation, else with the same orders and faults."""
    if scenario.again:
        return scenario.again
    return f"make scenario NAME={scenario.name} ON={on} PEERS={len(scenario.peers)} SEED={scenario.seed}"


def _cluster(on: str, directory: Path, scenario: Scenario, plant: str) -> Cluster:
    match on:
        case "containers":
            image = planted_image(plant) if plant else PEER_IMAGE
            return ContainerCluster(directory, scenario.name, image, scenario.snapshot_every)
        case "processes":
            command = planted_command(plant) if plant else PEER_COMMAND
            return ProcessCluster(directory, command, scenario.snapshot_every)
        case _ if plant:
            raise CannotRun("in a simulation `make mutants` plants the bugs")
        case _:
            recorder = Recorder(MAX_MESSAGES, MAX_COMMITTED)
            bounds = scenario.snapshot_every, scenario.max_batch
            return SimulationCluster(scenario.seed, recorder, SIMULATED_EFFORT, *bounds)


def check(scenario: Scenario, cluster: Cluster) -> None:
    """Rehearse a scenario before anything is started. Raises BadScript, CannotRun."""
    wishes = rehearse(scenario.script())
    wrong = problems(wishes, scenario.peers, scenario.late)
    if wrong:
        raise BadScript(f"{scenario.name} cannot be played: {'; '.join(wrong)}")
    if missing := unsupported(wishes, cluster.why_not):
        raise CannotRun(f"{scenario.name} is skipped: {cluster.name} cannot do {', '.join(missing)}")


def judged(directory: Path, history: History, evidence: Evidence, why: str = "") -> int:
    """Judge a run, print and store the account and the verdicts, and return the exit code."""
    verdicts = judge(history, evidence)
    code = exit_code(verdicts, evidence)
    store.write_verdict(directory, verdicts, code, why)
    cases = junit.of_verdicts(verdicts, evidence, why)
    (directory / "junit.xml").write_text(junit.junit(directory.parent.name, cases), encoding="utf-8")
    plain = account(history, evidence, verdicts, code)
    (directory / "account.txt").write_text(f"{plain}\n", encoding="utf-8")
    print(account(history, evidence, verdicts, code, colour=True) if sys.stdout.isatty() else plain)
    if why:
        print(why)
    if code != HOLDS and (again := store.read_about(directory).get("command")):
        print(f"again with: {again}")
    return code


async def play(
    scenario: Scenario,
    cluster: Cluster,
    history: History,
    conclude: Callable[[Evidence, str], None] | None = None,
    progress: Progress | None = None,
) -> tuple[Evidence, str]:
    """Start the peers, play the script and collect the evidence; also return why there was no quiet, if so.

    `conclude` is told both before the teardown, so that nobody waits for that to see the verdict. `progress` watches
    real peers only: a question more would make another run of a simulated one.
    """
    client: Client
    overload: Callable[[], float] | None = None
    foreseen: tuple[type[Fault], ...] = ()
    if isinstance(cluster, SimulationCluster):
        client = SimulatedClient(cluster.world)
    else:
        client, overload = RpcClient(timeout_s=REQUEST_TIMEOUT_S), machine_overload
        # Only what is real has to be prepared.
        foreseen = faults(rehearse(scenario.script()))
    observer = Observer(cluster, client, peers=len(scenario.peers), overload=overload)
    driver = Driver(cluster, observer, history)
    watcher = None if isinstance(cluster, SimulationCluster) else progress
    try:
        await cluster.open(scenario.peers, foreseen)
        with watcher.watching(observer) if watcher is not None else nullcontext():
            why = await _to_the_end(scenario, driver)
            evidence = await observer.collect(quiet=not why)
        if conclude is not None:
            conclude(evidence, why)
        return evidence, why
    finally:
        await client.close()
        await cluster.close()


async def _to_the_end(scenario: Scenario, driver: Driver) -> str:
    """Play a scenario until all is quiet; return why that did not come about, if so."""
    try:
        await driver.start([peer for peer in scenario.peers if peer not in scenario.late])
        await driver.play(scenario.script())
        await driver.heal()
        await driver.quiet()
    except NoQuiet as error:
        return str(error)
    return ""


async def _announced(directory: Path, scenario: Scenario, cluster: Cluster, playing: Coroutine[Any, Any, Any]) -> None:
    print(f"\n{scenario.name}: {scenario.title}\n", flush=True)
    store.write_json(directory / "scenario.json", _about(scenario, cluster))
    await playing


def _about(scenario: Scenario, cluster: Cluster) -> dict[str, Any]:
    """Describe a run that begins now; `began_s` is when, by the clock that stamps the peers' ledgers."""
    told = {"name": scenario.name, "title": scenario.title, "peers": scenario.peers, "late": scenario.late}
    began_s = virtual_time.EPOCH_S if isinstance(cluster, SimulationCluster) else datetime.now(UTC).timestamp()
    where = {"on": cluster.name, "seed": scenario.seed, "command": repeats(scenario, cluster.name)}
    return {**told, **where, "began_s": began_s}


async def _interruptible(work: Coroutine[Any, Any, None]) -> None:
    """Play so that the first Ctrl-C or SIGTERM ends the play and tears everything down in peace."""
    loop = asyncio.get_running_loop()
    playing = loop.create_task(work)
    signals = (signal.SIGINT, signal.SIGTERM)

    def interrupt() -> None:
        for number in signals:
            loop.remove_signal_handler(number)
        print("interrupted: tearing down", file=sys.stderr)
        playing.cancel()

    for number in signals:
        loop.add_signal_handler(number, interrupt)
    await playing
