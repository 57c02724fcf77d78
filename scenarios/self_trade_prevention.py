"""A client with orders at two peers does not trade with itself, in each of four ways to prevent it."""

from __future__ import annotations

from testbed.script import Answer, Buy, Expect, ExpectTrades, Prevention, Quiet, Script, Sell

PEERS = 2


def script() -> Script:
    """Anna sells 5 at peer-1 and buys 3 at peer-2, once for each instruction; then Bert buys from her."""
    yield from _prevented("CANCEL_NEWEST", maker=("0", "5", "open"), taker=("0", "0", "cancelled"))
    yield from _prevented("CANCEL_OLDEST", maker=("0", "0", "cancelled"), taker=("0", "3", "open"))
    yield from _prevented("CANCEL_BOTH", maker=("0", "0", "cancelled"), taker=("0", "0", "cancelled"))
    maker = yield from _prevented("DECREMENT", maker=("0", "2", "open"), taker=("0", "0", "cancelled"))

    yield Buy("peer-2", "2", "DECREMENT", at="100", client="bert")
    yield Expect(maker, filled="2", remaining="0", status="filled")
    yield ExpectTrades("DECREMENT", [("2", "100")])


def _prevented(how: Prevention, maker: tuple[str, str, str], taker: tuple[str, str, str]) -> Script:
    ask: Answer = yield Sell("peer-1", "5", how, at="100", client="anna")
    yield Quiet()
    bid = yield Buy("peer-2", "3", how, at="100", client="anna", prevent=how)
    for order, (filled, remaining, status) in ((ask, maker), (bid, taker)):
        yield Expect(order, filled=filled, remaining=remaining, status=status)
    yield ExpectTrades(how, [])
    return ask
