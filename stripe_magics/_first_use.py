"""What a first call imports, imported at once, while a Stop is held back (see `_interrupts`).

Each function is called where a person's code enters, before the work that needs it; only its first call does
anything. A Stop that came meanwhile is raised at its end, before anything was sent.
"""

from __future__ import annotations

from functools import cache

from stripe_magics._interrupts import held_back


@cache
def for_connecting() -> None:
    """What `connect` needs."""
    with held_back():
        from stripe_magics.client import shared_connection, warm_up

    _ = shared_connection, warm_up


@cache
def for_calls() -> None:
    """What a call needs, from its name to its table."""
    for_connecting()
    with held_back():
        import pandas as pd
        import pyarrow.compute
        import pyarrow.parquet

        from stripe_magics import accessor, frames, pipeline, validation
        from stripe_magics.catalogue import event_types, stripe_objects
        from stripe_magics.client.pagination import paginator, parallel_paginator
        from stripe_magics.frames import builder as frame_builder
        from stripe_magics.frames import parquet
        from stripe_magics.parsing import keywords
        from stripe_magics.request import api_version, builder, raw_call

    _ = (
        (pd, pyarrow, accessor, frames, pipeline, validation, event_types, stripe_objects),
        (paginator, parallel_paginator, frame_builder, parquet, keywords, api_version, builder, raw_call),
    )


@cache
def for_reports() -> None:
    """What reports need beside a call."""
    for_calls()
    with held_back():
        from stripe_magics import finance

    _ = finance


@cache
def for_bulk() -> None:
    """What pulls, mirrors and rows need beside a call."""
    for_calls()
    with held_back():
        import pyarrow.dataset

        from stripe_magics import bulk

    _ = bulk, pyarrow


@cache
def for_forms() -> None:
    """What the first form needs beside a call."""
    for_calls()
    with held_back():
        from stripe_magics import forms
        from stripe_magics.forms import form_widget

    _ = forms, form_widget
