"""The tables of a line: the short flags of Stripe's own tool, and what is answered otherwise here. (Common
options: `_options.OPTIONS`.)"""

from __future__ import annotations

from stripe_magics._options import OPTIONS

SHORT = {  # the letters of Stripe's own command line tool
    **{each.short: each.key for each in OPTIONS.values() if each.short},
    "d": "data",
    "a": "starting_after",
    "b": "ending_before",
    "s": "show_headers",
    "p": "project_name",
    "H": "header",
}
CURSORS = ("starting_after", "ending_before")
ELSEWHERE = {  # flags of that tool which this one answers otherwise: (takes a value, what is said)
    "live": (False, "--live was left out: the connection decides the mode (%stripe status)."),
    "show_headers": (False, "--show-headers was left out: request ids are in df.attrs['stripe']."),
    "dark_style": (False, ""),
    "color": (True, ""),
    "log_level": (True, ""),
    "device_name": (True, ""),
    "config": (True, ""),
    "project_name": (
        True,
        "--project-name was left out: `%stripe connect --profile NAME` opens another profile.",
    ),
}
HANDLER_FLAGS = {  # flags of what serves a module in place of a request, by `Module.handler`
    "events": {
        "minutes": "text",
        "interval": "text",
        "since": "text",
        "where": "text",
        "alert": "list",
        "notify": "flag",
        "accounts": "text",
        "ephemeral": "flag",
        "status": "flag",
        "stop": "flag",
    }
}
HTTP_VERBS = {"get": "GET", "post": "POST", "put": "PUT", "patch": "PATCH", "delete": "DELETE"}
