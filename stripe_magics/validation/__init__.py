"""Raw values -> typed values, every fault named by its field and all of them at once.

What `bind` does, in order:

1. every name finds its field: our names, Stripe's bracket parameters (`shipping[address][line1]`), nested
   mappings (`field_resolution`);
2. each value is read by its kind (`readers`);
3. a switch that was left out follows from the fields that are given (`--amount` means `--input-amount
   total_amount`);
4. what may not stand together, what is missing, and what the API version no longer takes becomes a fault;
5. one `InvalidValue` with all faults, or a `Bound`.

A name whose value is missing (None, NaN, NA, NaT, JSON's null) is refused: it never means that nothing was
named. `UNSET` clears a value at Stripe, and so does empty text where something can be cleared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from stripe_magics import money
from stripe_magics._form_encoding import MAX_DEPTH, UNSET, is_too_deep, pairs, plain
from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.field import Field, Kind, Role
from stripe_magics.catalogue.kinds import COUNTS_EMPTY, kind_facts, shape_of
from stripe_magics.catalogue.module import Effect, Module
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.validation import urls_and_headers
from stripe_magics.validation.field_resolution import resolve_fields
from stripe_magics.validation.key_check import refuse_keys
from stripe_magics.validation.readers import ValueContext, read, read_filter
from stripe_magics.validation.rules import RuleChecker, expand_faults, fits, variant
from stripe_magics.validation.scalars import UnknownChoice
from stripe_magics.validation.structures import RowFaults

__all__ = ["UNSET", "Bound", "bind", "check", "expand_faults", "fits", "refuse_missing", "variant"]

_CHARGES = {"payment_intent", "charge"}  # Stripe's least amounts are for these


@dataclass(frozen=True, slots=True)
class Bound:
    """A call whose values are right: typed, by field name, in the order of the declaration."""

    module: Module
    values: dict[str, Any]
    extra: tuple[tuple[str, str], ...] = ()  # bracket parameters that no field stands for, passed on
    warnings: tuple[str, ...] = ()
    zone: tzinfo = UTC
    now: datetime | None = None  # what relative words counted from
    api_version: str = PINNED_VERSION
    inferred: frozenset[str] = frozenset()  # switches and currencies that were left out
    # amounts whose text names a currency that the call doesn't send: (field, currency)
    currency_in_text: tuple[tuple[str, str], ...] = ()


def bind(
    module: Module,
    values: Mapping[str, Any],
    params: Sequence[tuple[str, Any]] = (),
    *,
    zone: tzinfo = UTC,
    api_version: str = PINNED_VERSION,
    now: datetime | None = None,
) -> Bound:
    """Type the values of a call. Raises `InvalidValue` with all faults, or `KeyRefused`; see the module's
    docstring."""
    deep = [name for name, value in (*values.items(), *params) if is_too_deep(value)]
    if deep:
        problem = f"the value is nested more than {MAX_DEPTH} levels deep, or contains itself"
        raise InvalidValue([Fault(name, name, problem) for name in deep], module=module.name)
    for name, value in values.items():
        refuse_keys(plain(value), module.get(name))
    if params:
        refuse_keys(list(params))
    named = resolve_fields(module, values, params)
    now = now or datetime.now(UTC)
    context = ValueContext(zone=zone, now=now, operation=_operation(module), documented=module.documented)
    work = _Binder(module, context, api_version, dict(named.raws), faults=list(named.faults))
    work.faulty |= {fault.field for fault in named.faults if module.get(fault.field) is not None}
    work.read_plain()
    work.infer()
    work.read_amounts()
    work.expand_groups()
    rules = RuleChecker(module, work.typed, work.faults, work.faulty, api_version, zone, work.warnings, now)
    rules.check(named.extra_roots)
    if work.faults:
        raise InvalidValue(work.faults, module=module.name)
    ordered = (
        {each.name: work.typed[each.name] for each in module.fields if each.name in work.typed}
        if work.typed
        else {}
    )
    return Bound(
        module,
        ordered,
        (*named.extra, *work.unknown_params),
        tuple(work.warnings),
        zone,
        now,
        api_version,
        frozenset(work.inferred),
        tuple(work.currency_in_text),
    )


def refuse_missing(module: Module, values: Mapping[str, Any], params: Sequence[tuple[str, Any]] = ()) -> None:
    """Raise `InvalidValue` for what was named with a missing value: a form would show it as if nothing had
    been named."""
    named = {name: value for name, value in values.items() if plain(value) is None}
    faults = resolve_fields(module, named, [each for each in params if plain(each[1]) is None]).faults
    faults += [
        Fault(
            name,
            getattr(module.get(name), "title", name),
            f"a {type(value).__name__} is given; a form takes one value",
        )
        for name, value in values.items()
        if hasattr(value, "iloc")
    ]
    if module.effect is not Effect.UPDATE:  # there is nothing to clear
        faults += [
            Fault(name, declared.title, "is empty; give a value, or leave it out")
            for name, value in values.items()
            if (declared := module.get(name)) is not None
            and shape_of(declared.kind) not in COUNTS_EMPTY
            and not hasattr(value, "iloc")
            and _is_empty(value)
        ]
    if faults:
        raise InvalidValue(faults, module=module.name)


def _is_empty(value: object) -> bool:
    """Whether a value is blank text or an empty list or mapping."""
    value = plain(value)
    return not value.strip() if isinstance(value, str) else isinstance(value, (list, dict)) and not value


def check(field: Field, value: object, *, zone: tzinfo, currency: str | None = None) -> Any:
    """The typed value of one field (None if nothing is given, UNSET for empty text). Raises ValueError saying
    what is wrong."""
    refuse_keys(plain(value), field)
    operation: money.Operation = "payout" if field.operation == "payout" else "charge"
    typed = read(field, value, ValueContext(zone=zone, currency=currency, operation=operation))
    return typed.minor if isinstance(typed, money.Amount) else typed


def _operation(module: Module) -> money.Operation:
    return "payout" if any(each.operation == "payout" for each in module.fields) else "charge"


def _sent_as_it_stands(param: str, values: list[str], version: str = "") -> str:
    return f"{param}: {', '.join(values)} isn't among the known values{version}; it is sent as it stands."


def _names_currency(raw: object) -> bool:
    """Whether an amount that can't be read tries to name its currency: `20.5jpy`, `$20`."""
    return isinstance(raw, str) and any(letter.isalpha() or letter in "$€£¥" for letter in raw)


@dataclass(slots=True)
class _Binder:
    """One binding under way."""

    module: Module
    context: ValueContext
    api_version: str
    # name -> (field, raw value, the bracket parameter it came by or "")
    raws: dict[str, tuple[Field, Any, str]]
    typed: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    inferred: set[str] = field(default_factory=set)
    # an inferred switch -> the flag that it follows from
    inferred_from: dict[str, str] = field(default_factory=dict)
    unknown_params: list[tuple[str, str]] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)
    currency_in_text: list[tuple[str, str]] = field(default_factory=list)

    def fault(self, declared: Field, problem: str) -> None:
        self.faults.append(Fault(declared.name, declared.title, problem))
        self.faulty.add(declared.name)

    # Reading

    def read_plain(self) -> None:
        """Everything but amounts, which may need the currency."""
        for declared, raw, param in self.raws.values():
            if declared.kind is not Kind.MINOR_AMOUNT and not declared.operator:
                self._read(declared, raw, param, self.context)
        for declared, raw, param in self.raws.values():
            if declared.operator:
                self._read(
                    declared, raw, param, self.context, operator=str(self.typed.get(declared.operator) or "")
                )

    def read_amounts(self) -> None:
        for declared, raw, param in self.raws.values():
            if declared.kind is Kind.MINOR_AMOUNT:
                self._read_amount(declared, raw, param)

    def _read(
        self, declared: Field, raw: object, param: str, context: ValueContext, operator: str = ""
    ) -> None:
        context = replace(context, passed=[] if param else None)
        try:
            value = (
                read_filter(declared, raw, operator, context) if operator else read(declared, raw, context)
            )
            if isinstance(value, list) and not value and shape_of(declared.kind) in COUNTS_EMPTY:
                value = UNSET
            if value is UNSET:
                self._cleared(declared, explicit=raw is UNSET)
            elif declared.role is not Role.PARAM and declared.role in urls_and_headers.CHECKS:
                value = urls_and_headers.CHECKS[declared.role](value)
        except RowFaults as fault:
            self.faults.extend(fault.faults)
            self.faulty.add(declared.name)
            return
        except UnknownChoice as fault:
            if param and not fault.dead and isinstance(raw, (str, list)):
                self._pass_value(declared, raw, param)
                return
            self.fault(declared, str(fault))
            return
        except ValueError as fault:
            self.fault(declared, str(fault))
            return
        if value is not None:
            self.typed[declared.name] = value
            given = value if isinstance(value, list) else [value]
            if other := [str(each) for each in given if str(each) in declared.other_choices]:
                self.warnings.append(
                    _sent_as_it_stands(declared.flag, other, f" of API version {self.api_version}")
                )
        if context.passed:
            self.warnings.append(_sent_as_it_stands(declared.param, context.passed))

    def _pass_value(self, declared: Field, raw: str | list[Any], param: str) -> None:
        """Stripe's own parameter with a value that isn't among the choices: Stripe may know newer ones, and
        is the judge."""
        self.unknown_params.extend(pairs(declared.param, raw))
        self.faulty.add(declared.name)  # it counts as given, with a value that no rule can know
        known = {*declared.choices, *declared.local_choices}
        unknown = [str(each) for each in ([raw] if isinstance(raw, str) else raw) if each not in known]
        self.warnings.append(_sent_as_it_stands(param, unknown))

    def _cleared(self, declared: Field, *, explicit: bool) -> None:
        """Empty text may clear what an update changes; anywhere else it is more likely a variable that was
        empty."""
        module = self.module
        if declared.required or declared.role is not Role.PARAM or module.method != "POST":
            raise ValueError("is empty; give a value" + ("" if declared.required else ", or leave it out"))
        if (
            not explicit
            and (module.documented or kind_facts(declared.kind).number)
            and module.effect is not Effect.UPDATE
            and shape_of(declared.kind) not in COUNTS_EMPTY
        ):
            raise ValueError("is empty; give a value, or leave it out")

    def _read_amount(self, declared: Field, raw: object, param: str) -> None:
        holder = self.module.get(declared.currency) if declared.currency else None
        known = self.typed.get(holder.name) if holder else None
        context = replace(self.context, currency=known if isinstance(known, str) else None)
        self._read(declared, raw, param, context)
        value = self.typed.get(declared.name)
        code = context.currency
        if declared.name in self.faulty and holder and not known and not holder.when and _names_currency(raw):
            self.faulty.add(holder.name)  # it would have come with the amount, whose own fault is reported
        if isinstance(value, money.Amount):
            self.typed[declared.name] = value.minor
            code = value.currency
            if (
                holder is not None
                and holder.name not in self.typed
                and fits(holder.when, self.typed, self.module)
            ):
                self.typed[holder.name] = code
                self.inferred.add(holder.name)
            if code and (holder is None or holder.name not in self.typed):
                self.currency_in_text.append((declared.name, code))
        if isinstance(value, (int, money.Amount)):
            self._warn(declared, int(self.typed[declared.name]), code)

    def _warn(self, declared: Field, minor: int, currency: str | None) -> None:
        most = money.maximum(currency) if currency and declared.maximum else declared.maximum
        if most is not None and minor > most:
            self.warnings.append(
                f"{declared.flag}: {minor} is more than most ways to pay take ({most} in minor units)."
            )
        least = (
            money.minimum(currency)
            if currency and declared.param == "amount" and self.module.object in _CHARGES
            else None
        )
        if least is not None and currency and 0 < minor < least:
            shown, requested = money.format_amount(minor, currency), money.format_amount(least, currency)
            self.warnings.append(f"{declared.flag}: {shown} is below Stripe's usual minimum of {requested}.")

    # Switches

    def infer(self) -> None:
        """Give each switch that was left out the one value under which what is given makes sense, until
        nothing changes."""
        switches = [each for each in self.module.fields if each.role is Role.SWITCH]
        # an inner switch first: what it follows from then speaks for the outer one
        switches.sort(key=lambda each: not each.when)
        changed = bool(switches)
        while changed:
            changed = False
            for switch in switches:
                if switch.name not in self.raws and switch.name not in self.inferred and self._infer(switch):
                    changed = True

    def _infer(self, switch: Field) -> bool:
        given = [*(declared for declared, raw, _ in self.raws.values() if raw is not None)]
        given += [each for name in self.inferred if (each := self.module.get(name)) is not None]
        asked = [(each, requested) for each in given for name, requested in each.when if name == switch.name]
        if not asked:
            return False
        possible = [value for value in asked[0][1] if all(value in requested for _, requested in asked)]
        if not possible:
            sides = ", ".join(
                f"{self.inferred_from.get(each.name, each.flag)} goes with {' or '.join(requested)}"
                for each, requested in asked
            )
            self.fault(switch, f"isn't clear from what is given: {sides}; leave one of them out")
            self.inferred.add(switch.name)
            return True
        if len(possible) > 1:
            return False
        self.typed[switch.name] = possible[0]
        self.inferred.add(switch.name)
        self.inferred_from[switch.name] = self.inferred_from.get(asked[0][0].name, asked[0][0].flag)
        return True

    def expand_groups(self) -> None:
        """A group of values (of event types) becomes the values that it stands for."""
        for each in self.module.fields:
            if each.role is Role.EXPANDS and isinstance(self.typed.get(each.name), list):
                mine = self.typed.get(each.expands_into)
                meant = [value for group in self.typed[each.name] for value in each.expansion.get(group, ())]
                self.typed[each.expands_into] = list(
                    dict.fromkeys([*(mine if isinstance(mine, list) else ()), *meant])
                )
