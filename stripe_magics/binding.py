"""Raw values -> typed values, every fault named by its field and all of them at once.

What `bind` does, in order:

1. every name finds its field: our names, Stripe's bracket parameters (`shipping[address][line1]`), nested mappings (see `naming`);
2. each value is read by its kind (`kinds`);
3. a switch that was left out follows from the fields that are given (`--amount` means `--input-amount total_amount`);
4. what may not stand together, what is missing, and what the API version no longer takes becomes a fault;
5. one `InvalidValue` with all faults, or a `Bound`.

None leaves a value out; `UNSET` clears it at Stripe, and so does empty text where something can be cleared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from typing import Any

from stripe_magics import headers, money, searching
from stripe_magics.catalogue import PINNED_VERSION
from stripe_magics.catalogue.fields import Conditions, Field, Kind, Role
from stripe_magics.catalogue.module import Effect, Module, Variant
from stripe_magics.encoding import UNSET, plain
from stripe_magics.errors import Fault, InvalidValue
from stripe_magics.keys import refuse_keys
from stripe_magics.kinds import Context, read, read_filter
from stripe_magics.naming import sort_out
from stripe_magics.scalars import UnknownChoice
from stripe_magics.structures import RowFaults

__all__ = ["UNSET", "Bound", "bind", "check", "expand_faults", "fits", "variant"]

_KEEPS_EMPTY = {Kind.METADATA, Kind.ROWS, Kind.TEXT_LIST, Kind.MULTI_CHOICE, Kind.JSON}
_HERE = {Role.LOCAL, Role.LOOKUP}  # never sent, so no version of the API can refuse them
_CHARGES = {"payment_intent", "charge"}  # Stripe's least amounts are for these


@dataclass(frozen=True, slots=True)
class Bound:
    """A call whose values are right: typed, by field name, in the order of the declaration."""

    module: Module
    values: dict[str, Any]
    extra: tuple[tuple[str, str], ...] = ()  # bracket parameters that no field stands for, passed on
    warnings: tuple[str, ...] = ()
    zone: tzinfo = UTC
    api_version: str = PINNED_VERSION
    inferred: frozenset[str] = frozenset()  # switches and currencies that were left out


def bind(
    module: Module,
    values: Mapping[str, Any],
    params: Sequence[tuple[str, Any]] = (),
    *,
    zone: tzinfo = UTC,
    api_version: str = PINNED_VERSION,
    now: datetime | None = None,
) -> Bound:
    """Type the values of a call. Raises `InvalidValue` with all faults, or `KeyRefused`; see the module's docstring."""
    for name, value in values.items():
        refuse_keys(plain(value), module.get(name))
    if params:
        refuse_keys(list(params))
    named = sort_out(module, values, params)
    context = Context(zone=zone, now=now, operation=_operation(module), documented=module.documented)
    work = _Work(module, context, api_version, dict(named.raws), faults=list(named.faults))
    work.read_plain()
    work.infer()
    work.read_amounts()
    work.expand_groups()
    work.judge(set(named.extra_roots))
    if work.faults:
        raise InvalidValue(work.faults, module=module.name)
    ordered = {each.name: work.typed[each.name] for each in module.fields if each.name in work.typed} if work.typed else {}
    return Bound(
        module, ordered, (*named.extra, *work.passed_on), tuple(work.warnings), zone, api_version, frozenset(work.inferred)
    )


def check(field: Field, value: Any, *, zone: tzinfo, currency: str | None = None) -> Any:
    """The typed value of one field (None if nothing is given, UNSET for empty text). Raises ValueError saying what is wrong."""
    refuse_keys(plain(value), field)
    operation: money.Operation = "payout" if field.operation == "payout" else "charge"
    typed = read(field, value, Context(zone=zone, currency=currency, operation=operation))
    return typed.minor if isinstance(typed, money.Amount) else typed


def fits(when: Conditions, values: Mapping[str, Any], module: Module) -> bool:
    """Whether all conditions hold for typed values; a switch without a value counts as its default."""
    for name, wanted in when:
        text = _said(name, values, module)
        if text not in wanted:
            return False
    return True


def variant(module: Module, values: Mapping[str, Any]) -> Variant | None:
    """The endpoint that takes the call in place of the module's own, or None."""
    for each in module.variants:
        if each.given and not any(name in values for name in each.given):
            continue
        if any(name in values for name in each.absent):
            continue
        if fits(each.when, values, module):
            return each
    return None


def expand_faults(module: Module, paths: Sequence[str]) -> list[str]:
    """What is wrong with paths to expand: too deep, or without the `data.` that lists want."""
    problems = []
    for path in paths:
        inner = path.removeprefix("data.") if module.lists else path
        if inner.count(".") > 3:
            problems.append(f"{path!r} is more than four levels deep, the most that Stripe expands")
        if module.lists and not path.startswith("data.") and module.documented:
            problems.append(f"{path!r} must begin with data. on a list; write data.{path}")
    return problems


def _operation(module: Module) -> money.Operation:
    return "payout" if any(each.operation == "payout" for each in module.fields) else "charge"


def _said(name: str, values: Mapping[str, Any], module: Module) -> str:
    if name in values:
        value = values[name]
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    declared = module.get(name)
    if declared is None or declared.role is not Role.SWITCH or declared.default is None:
        return ""
    return str(declared.default)


@dataclass(slots=True)
class _Work:
    """One binding under way."""

    module: Module
    context: Context
    api_version: str
    raws: dict[str, tuple[Field, Any, str]]  # name -> (field, raw value, the bracket parameter it came by or "")
    typed: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    inferred: set[str] = field(default_factory=set)
    because: dict[str, str] = field(default_factory=dict)  # an inferred switch -> the flag that it follows from
    passed_on: list[tuple[str, str]] = field(default_factory=list)
    faulty: set[str] = field(default_factory=set)

    def fault(self, declared: Field, problem: str) -> None:
        self.faults.append(Fault(declared.name, declared.title, problem))
        self.faulty.add(declared.name)

    # Reading

    def read_plain(self) -> None:
        """Everything but amounts, which may need the currency."""
        for declared, raw, param in self.raws.values():
            if declared.kind is not Kind.MINOR_AMOUNT and not (declared.kind is Kind.TIMESTAMP_FILTER and declared.operator):
                self._read(declared, raw, param, self.context)
        for declared, raw, param in self.raws.values():
            if declared.kind is Kind.TIMESTAMP_FILTER and declared.operator:
                self._read(declared, raw, param, self.context, operator=str(self.typed.get(declared.operator) or ""))

    def read_amounts(self) -> None:
        for declared, raw, param in self.raws.values():
            if declared.kind is Kind.MINOR_AMOUNT:
                self._read_amount(declared, raw, param)

    def _read(self, declared: Field, raw: Any, param: str, context: Context, operator: str = "") -> None:
        try:
            value = read_filter(declared, raw, operator, context) if operator else read(declared, raw, context)
            if isinstance(value, list) and not value and declared.kind in _KEEPS_EMPTY:
                value = UNSET
            if value is UNSET:
                self._cleared(declared, explicit=raw is UNSET)
            elif declared.role in headers.CHECKS:
                value = headers.CHECKS[declared.role](value)
        except RowFaults as fault:
            self.faults.extend(fault.faults)
            self.faulty.add(declared.name)
            return
        except UnknownChoice as fault:
            if param and not fault.near and isinstance(raw, (str, list)):  # Stripe's own parameter: it may know newer values
                self.passed_on.extend((param, each) for each in ([raw] if isinstance(raw, str) else raw))
                return
            self.fault(declared, str(fault))
            return
        except ValueError as fault:
            self.fault(declared, str(fault))
            return
        if value is not None:
            self.typed[declared.name] = value

    def _cleared(self, declared: Field, *, explicit: bool) -> None:
        """Empty text may clear what an update changes; anywhere else it is more likely a variable that was empty."""
        module = self.module
        if declared.required or declared.role is not Role.PARAM or module.method != "POST":
            raise ValueError("is empty; give a value" + ("" if declared.required else ", or leave it out"))
        if not explicit and module.documented and module.effect is not Effect.UPDATE and declared.kind not in _KEEPS_EMPTY:
            raise ValueError("is empty; give a value, or leave it out")

    def _read_amount(self, declared: Field, raw: Any, param: str) -> None:
        holder = self.module.get(declared.currency) if declared.currency else None
        known = self.typed.get(holder.name) if holder else None
        context = replace(self.context, currency=known if isinstance(known, str) else None)
        self._read(declared, raw, param, context)
        value = self.typed.get(declared.name)
        code = context.currency
        if isinstance(value, money.Amount):
            self.typed[declared.name] = value.minor
            code = value.currency
            if holder is not None and holder.name not in self.typed and fits(holder.when, self.typed, self.module):
                self.typed[holder.name] = code
                self.inferred.add(holder.name)
        if isinstance(value, (int, money.Amount)):
            self._warn(declared, int(self.typed[declared.name]), code)

    def _warn(self, declared: Field, minor: int, currency: str | None) -> None:
        if declared.maximum is not None and minor > declared.maximum:
            self.warnings.append(
                f"{declared.flag}: {minor} is more than most ways to pay take ({declared.maximum} in minor units)."
            )
        least = money.minimum(currency) if currency and declared.param == "amount" and self.module.object in _CHARGES else None
        if least is not None and currency and 0 < minor < least:
            shown, wanted = money.format_amount(minor, currency), money.format_amount(least, currency)
            self.warnings.append(f"{declared.flag}: {shown} is below Stripe's usual minimum of {wanted}.")

    # Switches

    def infer(self) -> None:
        """Give each switch that was left out the one value under which what is given makes sense, until nothing changes."""
        switches = [each for each in self.module.fields if each.role is Role.SWITCH]
        switches.sort(key=lambda each: not each.when)  # an inner switch first: what it follows from then speaks for the outer one
        changed = bool(switches)
        while changed:
            changed = False
            for switch in switches:
                if switch.name not in self.raws and switch.name not in self.inferred and self._infer(switch):
                    changed = True

    def _infer(self, switch: Field) -> bool:
        given = [*(declared for declared, raw, _ in self.raws.values() if raw is not None)]
        given += [each for name in self.inferred if (each := self.module.get(name)) is not None]
        asked = [(each, wanted) for each in given for name, wanted in each.when if name == switch.name]
        if not asked:
            return False
        possible = [value for value in asked[0][1] if all(value in wanted for _, wanted in asked)]
        if not possible:
            sides = ", ".join(
                f"{self.because.get(each.name, each.flag)} goes with {' or '.join(wanted)}" for each, wanted in asked
            )
            self.fault(switch, f"can't be told from what is given: {sides}; leave one of them out")
            self.inferred.add(switch.name)
            return True
        if len(possible) > 1:
            return False
        self.typed[switch.name] = possible[0]
        self.inferred.add(switch.name)
        self.because[switch.name] = self.because.get(asked[0][0].name, asked[0][0].flag)
        return True

    def expand_groups(self) -> None:
        """A group of values (of event types) becomes the values that it stands for."""
        for each in self.module.fields:
            if each.role is Role.EXPANDS and isinstance(self.typed.get(each.name), list):
                mine = self.typed.get(each.into)
                meant = [value for group in self.typed[each.name] for value in each.expands.get(group, ())]
                self.typed[each.into] = list(dict.fromkeys([*(mine if isinstance(mine, list) else ()), *meant]))

    # Judging

    def judge(self, roots: set[str]) -> None:
        """What may not stand together, what is missing, what this version of the API no longer takes."""
        given = {name for name, value in self.typed.items() if value is not None} | self.faulty
        for declared in self.module.fields:
            if declared.name in given:
                if declared.when:
                    self._judge_condition(declared)
                if declared.since_removed:
                    self._judge_version(declared)
            elif (declared.required or declared.needed_with or declared.operator) and not _covered(declared, roots):
                self._judge_missing(declared, given)
        for names in self.module.one_of:
            self._judge_one_of([name for name in names if name in given])
        for names in self.module.any_of:
            if not given.intersection(names) and not any(_covered(self._field(name), roots) for name in names):
                flags = [self._field(name).flag for name in names]
                self.fault(self._field(names[0]), f"is missing; give {'one of ' if len(flags) > 1 else ''}{', '.join(flags)}")
        chosen = variant(self.module, self.typed)
        for name in chosen.excludes if chosen else ():
            if name in given:
                by = (
                    [self._field(each).flag for each in (*chosen.given, *(name for name, _ in chosen.when)) if each in given]
                    if chosen
                    else []
                )
                self.fault(self._field(name), f"can't be given along with {' and '.join(by) or 'the others'}")
        self._judge_expand()
        if self.module.search is not None and not self.faulty:
            self.faults.extend(searching.expression(self.module, self.typed, self.context.zone)[1])

    def _field(self, name: str) -> Field:
        declared = self.module.get(name)
        if declared is None:
            raise LookupError(f"{self.module.name} names a field {name!r} that it doesn't have")
        return declared

    def _judge_condition(self, declared: Field) -> None:
        for name, wanted in declared.when:
            if name in self.faulty:
                return
            said = _said(name, self.typed, self.module)
            if said in wanted:
                continue
            other = self._field(name)
            now = f"; {other.flag} is {said}" if said else f"; {other.flag} isn't given"
            self.fault(declared, f"goes with {other.flag} {' or '.join(wanted)} only{now}")
            return

    def _judge_missing(self, declared: Field, given: set[str]) -> None:
        if declared.operator and declared.operator in given:
            self.fault(declared, f"is missing; {self._field(declared.operator).flag} needs it")
        if any(name in self.faulty for name, _ in declared.when):
            return
        if declared.needed_with and (beside := [name for name in declared.needed_with if name in given]):
            self.fault(declared, f"is missing; {self._field(beside[0]).flag} needs it")
        elif declared.required and declared.default is None and fits(declared.when, self.typed, self.module):
            clause = "".join(
                f"; {self._field(name).flag} {_said(name, self.typed, self.module)} needs it" for name, _ in declared.when[-1:]
            )
            self.fault(declared, f"is missing{clause}")

    def _judge_version(self, declared: Field) -> None:
        since, version = declared.since_removed, self.api_version
        if declared.role in _HERE or declared.renamed or self.module.held(declared.name):
            return
        instead = f"; instead: {declared.replaced_by}" if declared.replaced_by else ""
        if since == "never":
            self.fault(declared, f"Stripe doesn't take it here{instead}")
        elif since[:10] <= version[:10]:
            self.fault(declared, f"Stripe takes it no longer since API version {since} (this call uses {version}){instead}")

    def _judge_one_of(self, names: list[str]) -> None:
        if len(names) > 1:
            flags = [self._field(name).flag for name in names]
            self.fault(self._field(names[1]), f"{' and '.join(flags)} can't be given together; give one of them")

    def _judge_expand(self) -> None:
        paths = self.typed.get("expand")
        declared = self.module.get("expand")
        if declared is not None and isinstance(paths, list):
            for problem in expand_faults(self.module, paths):
                self.fault(declared, problem)


def _covered(declared: Field, roots: set[str]) -> bool:
    """Whether a parameter that is passed on stands above this field's (`-d "address="` over `address[line1]`)."""
    return declared.role is Role.PARAM and declared.param.partition("[")[0] in roots
