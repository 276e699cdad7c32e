"""`python -m stripe_magics "customers list --limit 5" --sandbox`: see command_line.py."""

from __future__ import annotations

import sys

from stripe_magics.command_line import ignore_stops, main

if __name__ == "__main__":
    code = main()
    ignore_stops()
    sys.exit(code)
