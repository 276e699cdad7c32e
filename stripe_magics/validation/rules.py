"""What may stand together in a call, what is missing, and what this version of the API no longer takes.

Everything is read from the declaration: `when`, `required`, `required_with`, `one_of`, `any_of`, variants,
`since_removed`. Each breach is a fault of the field that has to change, and says which other field it is
about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from stripe_magics.catalogue.field import Conditions, Field, Role
from stripe_magics.catalogue.module import Module, Variant
from stripe_magics.catalogue.versions import PINNED_VERSION, known_versions
from stripe_magics.errors import Fault
from stripe_magics.validation import search_query

_HERE = {Role.LOCAL, Role.LOOKUP}  # never sent, so no version of the API can refuse them


def fits(when: Conditions, values: Mapping[str, Any], module: Module) -> bool:
    """Whether all conditions hold for typed values; a switch without a value counts as its default."""
    for name, requested in when:
        text = value_as_text(name, values, module)
        if text not in requested:
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


def value_as_text(name: str, values: Mapping[str, Any], module: Module) -> str:
    if name in values:
        value = values[name]
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    declared = module.get(name)
    if declared is None or declared.role is not Role.SWITCH or declared.default is None:
        return ""
    return str(declared.default)


@dataclass(slots=True)
class RuleChecker:
    """The faults of a whole call; those of single values were found before (`faulty` names their fields)."""

    module: Module
    typed: Mapping[str, Any]
    faults: list[Fault]
    faulty: set[str]
    api_version: str
    zone: tzinfo
    warnings: list[str]
    now: datetime | None = None

    def fault(self, declared: Field, problem: str) -> None:
        self.faults.append(Fault(declared.name, declared.title, problem))
        self.faulty.add(declared.name)

    def check(self, roots: set[str]) -> None:
        """What may not stand together, what is missing, what this version of the API no longer takes."""
        given = {name for name, value in self.typed.items() if value is not None} | self.faulty
        roots = roots | {
            each.param.partition("[")[0] + "["
            for name in given
            if (each := self.module.get(name)) is not None and "[" in each.param
        }
        for declared in self.module.fields:
            if declared.name in given:
                if declared.when and not roots.intersection(declared.when_params):
                    self._judge_condition(declared)
                if declared.needs_one_of:
                    self._judge_partner(declared, given, roots)
                if declared.since:
                    self._judge_newer(declared)
                if declared.since_removed:
                    self._judge_version(declared)
            elif (declared.required or declared.required_with or declared.operator) and not _covered(
                declared, roots
            ):
                self._judge_missing(declared, given | roots)
        for names in self.module.one_of:
            self._judge_one_of([name for name in names if name in given])
        for names in self.module.any_of:
            if not given.intersection(names) and not any(
                _covered(self._field(name), roots) for name in names
            ):
                flags = [self._field(name).flag for name in names]
                self.fault(
                    self._field(names[0]),
                    f"is missing; give {'one of ' if len(flags) > 1 else ''}{', '.join(flags)}",
                )
        chosen = variant(self.module, self.typed)
        for name in chosen.excludes if chosen else ():
            if name in given:
                by = [self._field(each).flag for each in self._led_to(chosen) if each in given]
                self.fault(self._field(name), f"can't be given along with {' and '.join(by) or 'the others'}")
        self._judge_expand()
        if self.module.search is not None and not self.faulty:
            self.faults.extend(search_query.expression(self.module, self.typed, self.zone, self.now)[1])

    @staticmethod
    def _led_to(chosen: Variant | None) -> list[str]:
        """The fields by which a call came to another endpoint."""
        return [*chosen.given, *(name for name, _ in chosen.when)] if chosen else []

    def _field(self, name: str) -> Field:
        declared = self.module.get(name)
        if declared is None:
            raise LookupError(f"{self.module.name} names a field {name!r} that it doesn't have")
        return declared

    def _judge_condition(self, declared: Field) -> None:
        for name, requested in declared.when:
            if name in self.faulty:
                return
            value = value_as_text(name, self.typed, self.module)
            if value in requested:
                continue
            other = self._field(name)
            now = f"; {other.flag} is {value}" if value else f"; {other.flag} isn't given"
            self.fault(declared, f"goes with {other.flag} {' or '.join(requested)} only{now}")
            return

    def _judge_missing(self, declared: Field, given: set[str]) -> None:
        if declared.operator and declared.operator in given:
            self.fault(declared, f"is missing; {self._field(declared.operator).flag} needs it")
        if any(name in self.faulty for name, _ in declared.when):
            return
        if declared.required_with and (
            beside := [name for name in declared.required_with if name in given - self.faulty]
        ):
            self.fault(declared, f"is missing; {self._field(beside[0]).flag} needs it")
        elif declared.required and given.intersection(declared.unless):
            return
        elif declared.required and declared.default is None and fits(declared.when, self.typed, self.module):
            clause = "".join(
                f"; {self._field(name).flag} {value_as_text(name, self.typed, self.module)} needs it"
                for name, _ in declared.when[-1:]
            )
            self.fault(declared, f"is missing{clause}")

    def _judge_newer(self, declared: Field) -> None:
        if not any(each[:10] >= declared.since[:10] for each in known_versions(self.api_version)):
            self.fault(declared, f"API version {self.api_version} doesn't know it; {declared.since} knows it")

    def _judge_version(self, declared: Field) -> None:
        since, version = declared.since_removed, self.api_version
        if declared.role in _HERE or declared.renamed_to or self.module.held(declared.name):
            return
        instead = f"; instead: {declared.replaced_by}" if declared.replaced_by else ""
        if since == "never":
            self.fault(declared, f"Stripe doesn't take it here{instead}")
        elif since[:10] <= version[:10] and not self.module.documented:
            self.fault(declared, f"API version {version} doesn't know it; {PINNED_VERSION} knows it{instead}")
        elif since[:10] <= version[:10]:
            self.fault(
                declared,
                f"Stripe takes it no longer since API version {since} (this call uses {version}){instead}",
            )

    def _judge_partner(self, declared: Field, given: set[str], roots: set[str]) -> None:
        needed = [self._field(name) for name in declared.needs_one_of]
        if not any(each.name in given or _covered(each, roots) for each in needed):
            flags = ", ".join(each.flag for each in needed[:3]) + (" ..." if len(needed) > 3 else "")
            self.fault(needed[0], f"is missing; {declared.flag} goes with one of {flags}")

    def _judge_one_of(self, names: list[str]) -> None:
        if len(names) > 1:
            flags = [self._field(name).flag for name in names]
            self.fault(
                self._field(names[1]), f"{' and '.join(flags)} can't be given together; give one of them"
            )

    def _judge_expand(self) -> None:
        paths = self.typed.get("expand")
        declared = self.module.get("expand")
        if declared is not None and isinstance(paths, list):
            for problem in expand_faults(self.module, paths):
                self.fault(declared, problem)


def _covered(declared: Field, roots: set[str]) -> bool:
    """Whether a parameter that is passed on stands above this field's (`-d "address="` over
    `address[line1]`), or given ones below it."""
    return declared.role is Role.PARAM and (
        declared.param.partition("[")[0] in roots or f"{declared.param}[" in roots
    )
