"""`python -m testbed`: run, list and judge scenarios, torture peers, simulate.

Exit codes of `run`, `run-all` (the worst of all runs), `torture` and `judge`: 0 everything holds, 1 something is
violated, 2 something is unknown, 3 the peers did not come to rest, 4 a process crashed by itself, 5 nothing was run
(and one line says why), 130 interrupted.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from testbed import catalog, runner, store, suite
from testbed.cluster import CannotRun
from testbed.publish import publish
from testbed.script import BadScript
from testbed.simulation import campaign, hunt
from testbed.simulation.swarm import draw
from testbed.torture import PEERS, Torture, torture

NOT_RUN = 5
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Do what the command line says, and return the exit code."""
    try:
        options = _parser().parse_args(arguments)
    except SystemExit as end:
        # argparse would end with 2, which is a verdict here.
        return NOT_RUN if end.code else 0
    try:
        return _do(options)
    except (BadScript, CannotRun) as error:
        print(error, file=sys.stderr)
        return NOT_RUN
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED


def _do(options: argparse.Namespace) -> int:
    match options.command:
        case "run":
            scenario = catalog.load(options.name, options.peers, options.seed)
            return runner.run(scenario, runner.choose_cluster(options.on, print), options.runs)
        case "run-all":
            code = suite.run_all(catalog.names(), runner.choose_cluster(options.on, print), options.runs, options.seed)
            return NOT_RUN if code is None else code
        case "judge":
            return _judge_again(options.run)
        case "simulate":
            return campaign.simulate(range(options.first, options.first + options.seeds), options.runs / "found")
        case "torture":
            on = runner.choose_cluster(options.on, print)
            wanted = Torture(on, options.minutes, options.seed, options.peers, options.plant)
            return torture(wanted, options.runs)
        case "replay":
            return runner.run(draw(options.seed).scenario(), "simulation", options.runs)
        case "mutants":
            return hunt.mutants(options.names)
        case _:
            for name in catalog.names():
                print(f"{name:28} {catalog.load(name).title}")
            return 0


def _judge_again(directory: Path) -> int:
    try:
        history, evidence = store.read_run(directory)
        code = runner.judged(directory, history, evidence, store.read_why(directory))
        print(f"to look at in a browser: {publish(directory)}")
    except (LookupError, OSError, ValueError) as error:
        raise CannotRun(f"{directory} holds no whole run: {type(error).__name__}: {error}") from error
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="testbed", description="Runs scenarios against real peers.")
    commands = parser.add_subparsers(dest="command", required=True)
    stored = argparse.ArgumentParser(add_help=False)
    stored.add_argument("--runs", type=Path, default=runner.RUNS, help="where to store what is run (default: runs/)")
    placed = argparse.ArgumentParser(add_help=False, parents=[stored])
    placed.add_argument("--on", choices=runner.CLUSTERS, help="where (default: containers if Docker works)")
    run = commands.add_parser("run", parents=[placed], help="run a scenario and judge it")
    run.add_argument("name", help="which one; `list` names them")
    run.add_argument("--peers", type=int, help="how many peers, if more than it needs")
    run.add_argument("--seed", type=int, help="of the script's dice, and which of all runs on simulation")
    every = commands.add_parser("run-all", parents=[placed], help="run all scenarios, and print a table")
    every.add_argument("--seed", type=int, help="of the scripts' dice, and which of all runs on simulation")
    _add_torture(commands.add_parser("torture", parents=[placed], help="random orders and faults for a while"))
    many = commands.add_parser(
        "simulate", parents=[stored], help="draw runs from seeds, and simulate them on all cores"
    )
    many.add_argument("--seeds", type=int, default=1000, help="how many (default: 1000)")
    many.add_argument("--from", type=int, default=0, dest="first", help="the first one (default: 0)")
    once = commands.add_parser("replay", parents=[stored], help="play the run of one seed again")
    once.add_argument("seed", type=int, help="which one")
    known = commands.add_parser("mutants", help="plant known bugs, and count the seeds it takes to find each")
    known.add_argument("names", nargs="*", help="which ones (default: all)")
    commands.add_parser("list", help="list the scenarios")
    again = commands.add_parser("judge", help="judge a stored run again, with the checkers of today")
    again.add_argument("run", type=Path, help="its directory, runs/latest for the newest")
    return parser


def _add_torture(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=float, default=1.0, help="for how long at least (default: 1)")
    parser.add_argument("--seed", type=int, default=0, help="of all its dice (default: 0)")
    parser.add_argument("--peers", type=int, default=PEERS, help=f"how many (default: {PEERS})")
    parser.add_argument("--plant", default="", metavar="BUG", help="a bug to plant in all peers, which has to be found")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
