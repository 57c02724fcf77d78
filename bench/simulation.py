"""The simulation: judged messages per second on one core, and what of it the wire alone takes.
`python -m bench.simulation [SEEDS]`

A message is a peer's envelope, its answer, a client's request or its reply. The envelopes of the same runs are then
only written, sealed, opened and read once more: no simulator of these peers can be faster than that.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from peer.admission import Network, read_contents, read_envelope
from peer.codes import Refusal
from peer.messages import Contents, Envelope
from testbed.history import History
from testbed.runner import play
from testbed.simulation import virtual_time
from testbed.simulation.cluster import SimulationCluster
from testbed.simulation.process import NETWORK_KEY
from testbed.simulation.recorder import Recorder
from testbed.simulation.swarm import draw
from testbed.simulation.trial import attempt

SEEDS = 60
RECORDED_SEEDS = 10
WIRE_ROUNDS = 5
BAR_PER_S = 20_000


def _texts(seeds: range) -> list[str]:
    """Return what the peers of these runs say to each other."""
    recorders = []
    for plan in map(draw, seeds):
        recorder = Recorder(messages=sys.maxsize)
        cluster = SimulationCluster(plan.seed, recorder, snapshot_every=plan.snapshot_every)
        virtual_time.run(cluster.world.agenda, play(plan.scenario(), cluster, History()))
        recorders.append(recorder)
    return [flight.text for recorder in recorders for flight in recorder.flights if flight.text]


def _there_and_back(network: Network, sender: str, contents: Contents) -> Contents | Refusal:
    envelope = read_envelope(network.seal(sender, sender, 0, contents))
    assert not isinstance(envelope, Refusal)
    assert network.admits(envelope)
    return read_contents(envelope)


def _wire_s(texts: list[str]) -> float:
    """Return the seconds that one envelope takes from its contents to its contents, on average."""
    network, sender = Network(NETWORK_KEY), "a" * 24
    said = [read_contents(Envelope(sender=sender, to=sender, port=0, mac="00", body=text)) for text in texts]
    contents = [each for each in said if isinstance(each, Contents)]
    assert all(_there_and_back(network, sender, each) == each for each in contents)

    def carry() -> None:
        for each in contents:
            _there_and_back(network, sender, each)

    return min(_cpu_s(carry) for _ in range(WIRE_ROUNDS)) / len(contents)


def _cpu_s(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    seeds = range(int(sys.argv[1]) if len(sys.argv) > 1 else SEEDS)
    attempt(draw(0))
    messages = 0

    def judged() -> None:
        nonlocal messages
        messages = sum(attempt(draw(seed)).seen["messages"] for seed in seeds)

    took_s = _cpu_s(judged)
    wire_s = _wire_s(_texts(seeds[:RECORDED_SEEDS]))
    rate = messages / took_s
    print(
        f"{len(seeds)} seeds, played and judged on one core: {messages:,} messages, {len(seeds) / took_s:.1f} seeds/s"
    )
    print(f"  {rate:>8,.0f} messages/s: {1e6 * took_s / messages:,.0f} us each, peers, network, clients and judge")
    print(
        f"  {1e6 * wire_s:>8,.0f} us an envelope from its contents to its contents: at most {1 / wire_s:,.0f} a second"
    )
    print(f"  {'met' if rate >= BAR_PER_S else 'missed'}: {BAR_PER_S:,} messages/s")


if __name__ == "__main__":
    main()
