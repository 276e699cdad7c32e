"""`python -m stripe_magics.sandbox --port N`: the embedded account over loopback HTTP."""

from __future__ import annotations

import argparse
import gc
import queue
import signal
import sys
from datetime import UTC, datetime
from pathlib import Path

from stripe_magics.sandbox.server import serving
from stripe_magics.sandbox.state_keeper import StateKeeper
from stripe_magics.sandbox.transport import SandboxTransport


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port (0 to 65535)")
    return int(text)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stripe_magics.sandbox", description="A Stripe account in memory, over loopback HTTP."
    )
    parser.add_argument(
        "--port",
        type=_port,
        default=12111,
        help="port on this machine (default 12111; 0 for any that is free)",
    )
    parser.add_argument("--empty", action="store_true", help="without the demo data")
    clock = parser.add_mutually_exclusive_group()
    clock.add_argument(
        "--today",
        action="store_true",
        help="the clock starts today and runs (the default); the demo ends today",
    )
    clock.add_argument("--frozen", action="store_true", help="the clock stands still until it is advanced")
    parser.add_argument("--seed", "--file", dest="seed", default=None, help="start from a saved sandbox")
    parser.add_argument(
        "--state",
        default=None,
        help="keep the account in this file: read at the start if it exists, written after changes and at the"
        " end",
    )
    parser.add_argument("--quiet", action="store_true", help="no line for each request")
    return parser


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve until interrupted."""
    parser = _parser()
    given = parser.parse_args(arguments)
    if given.state and not (Path(given.state).parent.is_dir() and not Path(given.state).is_dir()):
        parser.error(f"{given.state} can't be written: name a file in a folder that exists.")
    kept = given.state if given.state and Path(given.state).exists() else None
    if given.seed and kept:
        parser.error(f"{given.state} exists already: leave out --seed, or name another file with --state.")
    start = kept or given.seed
    try:
        transport = SandboxTransport(demo=not (given.empty or start), file=start, today=not given.frozen)
    except (OSError, ValueError) as fault:
        parser.error(f"{start} can't be read: {fault}")
    keeper = StateKeeper(transport, Path(given.state), _complain) if given.state else None
    # not an Event: its lock may be held by the very thread that a signal's handler runs in
    stopped: queue.SimpleQueue[int] = queue.SimpleQueue()
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda number, _: stopped.put(number))
    try:
        log, on_write = None if given.quiet else _log, keeper.touch if keeper else _nothing
        with serving(transport, given.port, log, on_write) as address:
            day = datetime.fromtimestamp(transport.now, UTC)
            runs = "the clock runs" if transport.runs else "the clock stands still"
            _spare_collector()
            print(
                f"The sandbox listens at {address}; any key that begins with sk_test_ is taken. "
                f"It is {day.day} {day:%b %Y, %H:%M} UTC in there, and {runs}. Stop with Ctrl+C.",
                flush=True,
            )
            stopped.get()
    except OSError as error:
        parser.exit(1, f"Port {given.port} can't be used: {error.strerror}. Name another with --port.\n")
    if keeper:
        try:
            keeper.close()
        except OSError as error:
            parser.exit(1, f"The state can't be written to {given.state}: {error.strerror}.\n")
        print(f"Saved in {given.state}.", end=" ")
    print("Stopped.", flush=True)


def _spare_collector() -> None:
    """What stands at the start stays to the end, and what requests make seldom has circles: looking for them
    at the usual pace takes a tenth of a create."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def _nothing() -> None:
    """Where no file is kept."""


def _complain(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _log(line: str) -> None:
    print(f"{datetime.now().astimezone():%H:%M:%S} {line}", flush=True)


if __name__ == "__main__":
    main()
