"""The seller's peer is killed while others buy, and comes back: nothing lost, nothing doubled."""

from __future__ import annotations

from testbed.script import (
    Again,
    Buy,
    Expect,
    ExpectBook,
    ExpectTrades,
    Kill,
    Restart,
    Script,
    Sell,
    Together,
    UntilTrades,
)

PEERS = 3
EACH = 30


def script() -> Script:
    """Peer-1 sells; peers 2 and 3 buy before the kill, across it and, on the very same orders, after it."""
    yield Together(*(Sell("peer-1", "1", "BTC-USD", at="100") for _ in range(2 * EACH)))

    *_, interrupted = yield Together(buys("peer-2", EACH - 10), buys("peer-3", EACH), killed_in_the_middle())
    # These ten come while peer-1 is down: they can only trade after its return.
    yield Together(*(Buy("peer-2", "1", "BTC-USD", at="100") for _ in range(10)))
    yield Restart("peer-1")

    # Whether the interrupted order was accepted, its client cannot know. It asks again, and has it once.
    once = yield Again(interrupted)
    yield Expect(once, filled="0", remaining="5", status="open")
    yield ExpectTrades("BTC-USD", [("1", "100")] * (2 * EACH))
    yield ExpectBook("BTC-USD", buys=[], sells=[("5", "200")])


def buys(peer: str, times: int) -> Script:
    """A client buys one after the other, whatever happens to the seller."""
    for _ in range(times):
        yield Buy(peer, "1", "BTC-USD", at="100")


def killed_in_the_middle() -> Script:
    """Kill peer-1 when ten trades are seen, while a client of its own submits an order; return that order."""
    yield UntilTrades("peer-3", "BTC-USD", count=10)
    interrupted, _ = yield Together(Sell("peer-1", "5", "BTC-USD", at="200"), Kill("peer-1"))
    return interrupted
