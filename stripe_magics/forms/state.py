"""What a form holds, without any widget: raw values by field, which fields are shown, errors, and the Command
they stand for.

A raw value is what a control gives: text; a list of texts (several choices, lists); a list of dicts (rows); a
dict (metadata). It is the same that a magic's line or cell gives, so that `command()` goes through the one
pipeline.

An update knows three states of a field. *untouched*: the form is blank there and nothing is sent. *set*:
something was entered that differs from what Stripe has. *cleared*: Stripe is told to empty it, which a line
writes as `--name ""`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from stripe_magics._command import Command
from stripe_magics._options import Options
from stripe_magics._text import closest_matches
from stripe_magics.catalogue.field import Conditions, Field, Kind, Role
from stripe_magics.catalogue.kinds import Shape, shape_of
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import Fault, UnknownName
from stripe_magics.forms.money_entry import as_line_value
from stripe_magics.forms.submission_state import Submission
from stripe_magics.validation.countries import country_code
from stripe_magics.validation.currency_names import currency_code

Raw = Any  # str | list[str] | list[dict[str, Any]] | dict[str, str]

MORE = "More"


def blank(raw: Raw) -> bool:
    """Whether a control is empty: no text, no rows, or only empty rows."""
    if raw is None:
        return True
    if isinstance(raw, str):
        return not raw.strip()
    if isinstance(raw, Mapping):
        return not raw
    if isinstance(raw, list | tuple):
        return all(blank(list(each.values())) if isinstance(each, Mapping) else blank(each) for each in raw)
    return False


def raw_value(field: Field, value: Any) -> Raw:
    """A Python or text value as the field's control holds it: true -> "true", 25 -> "25", "a, b" -> ["a",
    "b"] for lists.

    Raises nothing: what doesn't fit is kept as text for `check` to name.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if shape_of(field.kind) is Shape.LIST:
        parts = value.split(",") if isinstance(value, str) else value
        return [str(part).strip() for part in parts if str(part).strip()]
    if shape_of(field.kind) is Shape.PAIRS and isinstance(value, Mapping):
        return {str(key): str(each) for key, each in value.items()}
    if (
        shape_of(field.kind) is Shape.ROWS
        and isinstance(value, Iterable)
        and not isinstance(value, str | Mapping)
    ):
        columns = {column.name: column for column in field.columns}
        return [
            {key: raw_value(columns[key], each) if key in columns else each for key, each in row.items()}
            for row in value
            if isinstance(row, Mapping)
        ]
    if field.kind in {Kind.TIMESTAMP, Kind.TIMESTAMP_FILTER} and hasattr(value, "isoformat"):
        return str(value.isoformat())
    if shape_of(field.kind) is Shape.JSON and not isinstance(value, str):
        import json

        return json.dumps(value)
    if field.kind is Kind.TIMESTAMP_FILTER and isinstance(value, list | tuple):
        return "..".join(str(part) for part in value)
    return str(value)


CODES = {Kind.COUNTRY: country_code, Kind.CURRENCY: currency_code}
"""By kind of field: what makes the code of a name."""


@dataclass(slots=True)
class FormState:
    """The contents of one form. Everything that a form decides is decided here and can be tested without a
    screen."""

    module: Module
    raw: dict[str, Raw] = field(default_factory=dict)
    # Stripe's own bracket parameters, passed through
    params: list[tuple[str, Any]] = field(default_factory=list)
    options: Options = field(default_factory=Options)
    current: dict[str, Raw] | None = None  # an update: what Stripe has now, by field
    cleared: set[str] = field(default_factory=set)
    copied: set[str] = field(default_factory=set)  # fields whose control was filled with what Stripe has
    errors: dict[str, str] = field(default_factory=dict)
    submission: Submission = field(default_factory=Submission)
    source_currency: str = ""  # the currency of the object that the amount belongs to, once it is known

    @classmethod
    def of(
        cls,
        module: Module,
        values: Mapping[str, Any] | None = None,
        *,
        params: Iterable[tuple[str, Any]] = (),
        options: Options | None = None,
    ) -> FormState:
        """A form with some values filled in, by field name. Raises `UnknownName` for a name that the module
        doesn't have."""
        fields, rest = split_params(module, values or {}, params)
        state = cls(module=module, params=rest, options=options or Options())
        for name, value in {**(values or {}), **fields}.items():
            state.put(name, value)
        state.infer_switches()
        return state

    # -- fields ----------------------------------------------------------------------------------------------
    def field(self, name: str) -> Field:
        """The field of that name; raises `UnknownName` with the nearest ones."""
        found = self.module.get(name)
        if found is None:
            raise UnknownName(
                f"field of {self.module.name}",
                name,
                closest_matches(name, [each.name for each in self.module.fields], 3),
            )
        return found

    @property
    def updates(self) -> bool:
        """Whether the form changes an object that is there already, whose present values it can show."""
        return self.module.effect is Effect.UPDATE

    def holds(self, when: Conditions) -> bool:
        """Whether all conditions hold for what is entered; a blank switch counts as its default. A hidden
        field fulfils nothing."""
        return all(self._fulfils(name, requested) for name, requested in when)

    def _fulfils(self, name: str, requested: tuple[str, ...]) -> bool:
        source = self.module.get(name)
        if source is None or not self.holds(source.when):
            return False
        raw = self.raw.get(name)
        if blank(raw) and source.role is Role.SWITCH and source.default is not None:
            raw = raw_value(source, source.default)
        given = raw if isinstance(raw, list) else [raw]
        return any(str(each) in requested for each in given)

    def shown(self) -> list[Field]:
        """The fields that apply now, in the order of the declaration."""
        return [each for each in self.module.fields if self.holds(each.when)]

    def infer_switches(self) -> list[str]:
        """Fill in what prefilled fields imply: a payment method's id implies `existing`, and so on. Gives
        what was filled in."""
        implied = []
        for each in self.module.fields:
            if blank(self.raw.get(each.name)):
                continue
            for name, requested in each.when:
                source = self.module.get(name)
                if source is not None and blank(self.raw.get(name)) and not self._fulfils(name, requested):
                    self.raw[name] = [requested[0]] if shape_of(source.kind) is Shape.LIST else requested[0]
                    implied.append(name)
        return implied

    # -- editing ---------------------------------------------------------------------------------------------
    def put(self, name: str, value: object) -> None:
        """Put a value in by code: brought into the form its control holds."""
        found = self.field(name)
        if value == "" and self.updates and found.role is not Role.PATH:
            self.clear(found.name)
        else:
            self.set(found.name, raw_value(found, value))

    def set(self, name: str, raw: Raw) -> None:
        """A control's new value. Anything but blank ends `cleared`."""
        if raw == self.raw.get(name, "") and not (name in self.cleared and not blank(raw)):
            return
        if blank(raw) and name in self.copied:
            # what Stripe has was in the control, and a person took all of it away
            self.clear(name)
            return
        self.raw[name] = raw
        if not blank(raw):
            self.cleared.discard(name)
        self.errors.pop(name, None)
        self.submission.edited()

    def clear(self, name: str) -> None:
        """An update: have Stripe empty the field."""
        found = self.field(name)
        if found.role is Role.PATH:
            raise ValueError(f"{found.title} names the object; it can't be cleared")
        self.raw.pop(found.name, None)
        self.errors.pop(found.name, None)
        self.cleared.add(found.name)
        self.submission.edited()

    def keep(self, name: str) -> None:
        """Leave the field as Stripe has it: untouched again."""
        found = self.field(name)
        self.raw.pop(found.name, None)
        self.errors.pop(found.name, None)
        self.cleared.discard(found.name)
        self.copied.discard(found.name)
        self.submission.edited()

    def copy_current(self, name: str) -> None:
        """An update: put what Stripe has into the control, to be edited there. Unchanged, it is still not
        sent."""
        if self.current is not None and name in self.current:
            self.keep(name)
            self.raw[name] = self.current[name]
            self.copied.add(name)

    def release_copies(self) -> list[str]:
        """What Stripe has will be known anew, maybe of another object: of a copy stays what a person altered.
        Gives the fields."""
        names = sorted(self.copied)
        for name in names:
            if name in self.cleared:
                self.copied.discard(name)
                continue
            change = _change(self.field(name), self.raw.get(name), (self.current or {}).get(name), whole=True)
            self.keep(name)
            if change is not None:
                self.raw[name] = change
        return names

    def fetched(self, current: Mapping[str, Raw]) -> None:
        """An update: note what Stripe has now."""
        self.current = dict(current)

    def currency_for(self, amount: Field) -> str:
        """The currency in which an amount is meant: as entered beside it, as the object has it, "" if nobody
        said."""
        beside = (
            (self.raw.get(amount.currency) or (self.current or {}).get(amount.currency) or "")
            if amount.currency
            else ""
        )
        return currency_code(str(beside)).strip().lower() or self.source_currency

    def currency_label(self, amount: Field) -> str:
        """What the form calls the field in which an amount's currency stands; "" where it has none."""
        beside = self.module.get(amount.currency) if amount.currency else None
        return beside.label if beside is not None else ""

    def line_value(self, field: Field, raw: Raw) -> Raw:
        """A value as a line writes it: of a name its code; what can't be read as an amount stays as it is,
        for the check to name."""
        if not isinstance(raw, str):
            return raw
        if field.kind in CODES:
            return CODES[field.kind](raw)
        try:
            return as_line_value(raw, self.currency_for(field)) if field.kind is Kind.MINOR_AMOUNT else raw
        except ValueError:
            return raw

    def unclear_amounts(self) -> tuple[Fault, ...]:
        """The amounts that can mean two things, or none: what a line would make of them doesn't count."""
        faults = []
        for each in self.shown():
            raw = self.raw.get(each.name)
            if each.kind is Kind.MINOR_AMOUNT and isinstance(raw, str) and each.name not in self.cleared:
                try:
                    as_line_value(raw, self.currency_for(each), beside_in=self.currency_label(each))
                except ValueError as problem:
                    faults.append(Fault(each.name, each.title, str(problem)))
        return tuple(faults)

    # -- what it stands for ----------------------------------------------------------------------------------
    def touched(self, name: str) -> bool:
        """Whether the field would be sent."""
        return name in dict(self._sent())

    def _sent(self) -> Iterator[tuple[str, Raw]]:
        for each in self.shown():
            if each.name in self.cleared:
                yield each.name, ""
                continue
            raw = self.raw.get(each.name)
            if blank(raw):
                continue
            raw = self.line_value(each, raw)
            if self.current is not None and each.name in self.current and each.role is Role.PARAM:
                raw = _change(each, raw, self.current[each.name], whole=each.name in self.copied)
                if raw is None:
                    continue
            yield each.name, _tidy(raw)

    def values(self) -> dict[str, Raw]:
        """What is sent, by field name: shown fields that hold something; of an update only what differs; ""
        for cleared."""
        return dict(self._sent())

    def command(self) -> Command:
        """The call that the form stands for."""
        from dataclasses import replace

        return Command(
            module=self.module.name,
            values=self.values(),
            params=list(self.params),
            options=replace(self.options, form=False),
        )

    def effect(self) -> Effect:
        """What sending does to the account, with the values entered: confirming a payment at once moves
        money.

        A blank field counts as what the module does without it: a raw call with no method chosen is a GET,
        and so a read.
        """
        for name, value, effect in self.module.effects:
            source = self.module.get(name)
            default = source is not None and blank(self.raw.get(name)) and source.default == value
            if default or self._fulfils(name, (value,)):
                return effect
        return self.module.effect

    def diff(self) -> list[tuple[Field, Raw, Raw]]:
        """An update: (field, what Stripe has, what it will have) of everything that is sent but the id."""
        current = self.current or {}
        return [
            (found, current.get(found.name, ""), raw)
            for found, raw in ((self.field(name), raw) for name, raw in self._sent())
            if found.role is not Role.PATH
        ]


def _tidy(raw: Raw) -> Raw:
    """Without the empty rows that a form shows for the next entry."""
    if isinstance(raw, list):
        return [
            {key: each for key, each in row.items() if not blank(each)} if isinstance(row, Mapping) else row
            for row in raw
            if not blank([row])
        ]
    return raw


def _change(field: Field, raw: Raw, now: Raw, *, whole: bool) -> Raw | None:
    """What to send so that `now` becomes `raw`; None if it is that already.

    Stripe merges metadata, so only the keys that differ are sent. Where the control showed them `whole`, a
    key taken away is sent empty.
    """
    if shape_of(field.kind) is Shape.PAIRS and isinstance(raw, Mapping) and isinstance(now, Mapping):
        changed = {key: value for key, value in raw.items() if now.get(key) != value}
        gone = {key: "" for key in now if whole and key not in raw}
        return {**changed, **gone} or None
    return None if _tidy(raw) == _tidy(now) else raw


def split_params(
    module: Module, given: Mapping[str, Any], params: Iterable[tuple[str, Any]]
) -> tuple[dict[str, Any], list[tuple[str, Any]]]:
    """Stripe's bracket parameters as the form's own fields, where a field stands for one of them as it is;
    and the rest, as given.

    A parameter that is given twice, or beside its field, stays what it is: the call itself says what is wrong
    with it.
    """
    named = {
        each.param: each
        for each in module.fields
        if each.role is Role.PARAM and shape_of(each.kind) is Shape.ONE
    }
    metadata = {each.param: each for each in module.fields if shape_of(each.kind) is Shape.PAIRS}
    pairs = list(params)
    names = [name for name, _ in pairs]
    fields: dict[str, Any] = {}
    rest: list[tuple[str, Any]] = []
    for name, value in pairs:
        head, _, key = name.partition("[")
        found = named.get(name)
        keyed = metadata.get(head) if key.endswith("]") and "[" not in key else None
        plain = isinstance(value, str) and names.count(name) == 1
        if plain and found is not None and found.name not in given:
            fields[found.name] = value
        elif plain and keyed is not None and keyed.name not in given and key != "]":
            fields.setdefault(keyed.name, {})[key[:-1]] = value
        else:
            rest.append((name, value))
    return fields, rest
