"""Saved connections: their names and where their keys come from, never a key.

One JSON file in the user's configuration folder (`STRIPE_MAGICS_STATE_DIR` moves it): name -> source, what
the source is called, API version, connected account.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from stripe_magics._files import write_atomically
from stripe_magics._redaction import redact
from stripe_magics.errors import KeyRefused, UsageFault

FILE = "connections.json"


@dataclass(frozen=True, slots=True)
class Profile:
    """A saved connection."""

    name: str
    source: str  # a key of `key_sources.SOURCES`
    detail: str = ""  # the variable's, profile's or keyring entry's name
    api_version: str = ""
    account: str = ""
    api_base: str = ""
    rate: str = ""
    zone: str = ""
    last_used: str = ""  # ISO time in UTC


def path() -> Path:
    """Where they are saved."""
    moved = os.environ.get("STRIPE_MAGICS_STATE_DIR", "")
    if moved:
        return Path(moved) / FILE
    import platformdirs

    return Path(platformdirs.user_config_dir("stripe_magics")) / FILE


def load() -> dict[str, Profile]:
    """The saved connections by name, the one that was used last first. A file that can't be read counts as
    none, entries that make no sense are left out."""
    try:
        found = json.loads(path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known = {each.name for each in fields(Profile)}
    entries = found.items() if isinstance(found, dict) else ()
    profiles = {
        name: Profile(
            **{
                "name": name,
                **{key: str(value) for key, value in entry.items() if key in known and key != "name"},
            }
        )
        for name, entry in entries
        if isinstance(entry, dict) and isinstance(entry.get("source"), str)
    }
    return dict(sorted(profiles.items(), key=lambda each: each[1].last_used, reverse=True))


def save(profile: Profile) -> None:
    """Save one, in place of the one of that name. Raises `KeyRefused` if anything in it looks like a key."""
    if any(redact(text) != text for text in asdict(profile).values()):
        raise KeyRefused(
            "Something that looks like a key appears in the connection's name or source. It was not saved."
        )
    _write({**load(), profile.name: profile})


def forget(name: str) -> None:
    """Take one away; nothing happens if there is none."""
    _write({key: each for key, each in load().items() if key != name})


def touch(name: str) -> None:
    """Note that one is used now."""
    profiles = load()
    if name in profiles:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        _write({**profiles, name: replace(profiles[name], last_used=now)})


def rename(old: str, new: str) -> None:
    """Give one another name. Raises `KeyRefused` for a name that looks like a key, `UsageFault` for one that
    another has; then nothing is changed."""
    profiles = load()
    if old not in profiles or new == old:
        return
    if new in profiles:
        raise UsageFault(f"There is a saved connection {new} already. Choose another name.")
    save(replace(profiles[old], name=new))
    forget(old)


def _write(profiles: dict[str, Profile]) -> None:
    file = path()
    file.parent.mkdir(parents=True, exist_ok=True)
    entries = {
        name: {key: value for key, value in asdict(each).items() if key != "name" and value}
        for name, each in profiles.items()
    }
    write_atomically(file, json.dumps(entries, indent=1, ensure_ascii=False).encode(), private=True)
