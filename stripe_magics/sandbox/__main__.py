"""`python -m stripe_magics.sandbox --port N`: the embedded account over loopback HTTP."""

from __future__ import annotations

import argparse
import threading

from stripe_magics.sandbox.server import serving
from stripe_magics.sandbox.transport import SandboxTransport


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m stripe_magics.sandbox", description="A Stripe account in memory, over loopback HTTP."
    )
    parser.add_argument(
        "--port", type=int, default=12111, help="port on this machine (default 12111; 0 for any that is free)"
    )
    parser.add_argument("--empty", action="store_true", help="without the demo data")
    parser.add_argument("--file", default=None, help="start from a saved sandbox")
    given = parser.parse_args(arguments)
    transport = SandboxTransport(demo=not (given.empty or given.file), file=given.file)
    try:
        with serving(transport, given.port) as address:
            print(
                f"The sandbox listens at {address}; any key that begins with sk_test_ is taken. Stop with Ctrl+C.",
                flush=True,
            )
            threading.Event().wait()
    except OSError as error:
        parser.exit(1, f"Port {given.port} can't be used: {error.strerror}. Name another with --port.\n")
    except KeyboardInterrupt:
        print("Stopped.")


if __name__ == "__main__":
    main()
