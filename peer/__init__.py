"""One exchange peer: its own order book, its own signed ledger, and a copy of every other peer's."""
