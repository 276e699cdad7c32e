"""Which field stands where in a form. Pure.

In front: the ids of the object, what is required, what is required under a condition, then the plain optional
fields as far as the budget goes; the rest follows in closed groups, "More" last. What only a platform with
connected accounts needs waits in a closed group of its own. The budget is counted in widgets, since each
costs a message: a form opens at once however many fields its module has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stripe_magics.catalogue.field import Field, Role
from stripe_magics.catalogue.kinds import kind_facts
from stripe_magics.catalogue.module import Module
from stripe_magics.forms.state import MORE, FormState, blank

FURTHER = "Further details"
CONNECT = "Stripe Connect"
MAX_FRONT_WIDGETS = 21  # widgets for the fields in front
USUAL_GROUPS = 12  # each group more is a head more, and leaves one widget less for the front


@dataclass(frozen=True, slots=True)
class Section:
    """A group of fields; the one without a title stands in front, always open."""

    title: str
    fields: tuple[Field, ...]


def sections(module: Module) -> list[Section]:
    """The groups of a module's form, in order. Every field stands in exactly one of them."""
    plain = [
        each
        for each in module.fields
        if not (each.in_more_section or each.group or (each.connect_only and not each.required))
    ]
    needed = [
        each for each in module.fields if _rank(each, module) < 2 and (each.in_more_section or each.group)
    ]
    front = _front([*plain, *needed], module)
    inside = {each.name for each in front}
    groups: dict[str, list[Field]] = {}
    for each in module.fields:
        if each.name not in inside:
            title = each.group or (CONNECT if each.connect_only else FURTHER)
            groups.setdefault(MORE if each.in_more_section else title, []).append(each)
    order = sorted(groups, key=lambda title: {FURTHER: 0, MORE: 2}.get(title, 1))
    return [Section("", tuple(front)), *(Section(title, tuple(groups[title])) for title in order)]


def _front(candidates: list[Field], module: Module) -> list[Field]:
    ranked = sorted(candidates, key=lambda each: _rank(each, module))
    groups = len({each.group for each in module.fields if each.group})
    budget, front = MAX_FRONT_WIDGETS - max(0, groups - USUAL_GROUPS), []
    for each in ranked:
        cost = kind_facts(each.kind).widgets
        if _rank(each, module) < 2 or cost <= budget:
            front.append(each)
            budget -= cost
        else:
            # the order of the declaration is kept: nothing small slips in ahead of what comes first
            budget = 0
    return front


def _rank(field: Field, module: Module) -> int:
    """0 the ids in the path, 1 required (or one of several that are), 2 all else; switches and what they show
    stay together by the declaration's order."""
    if field.role in {Role.PATH, Role.URL}:
        return 0
    one_of = any(field.name in names for names in module.any_of)
    return 1 if (field.required or one_of) and not field.when else 2


def count(section: Section, state: FormState) -> str:
    """What a group's header says beside its title: how many are set, how many still needed, how many are
    wrong."""
    shown = {each.name for each in state.shown()}
    mine = [each for each in section.fields if each.name in shown]
    sent = state.values()
    number = sum(each.name in sent for each in mine)
    wrong = sum(each.name in state.errors for each in mine)
    missing = sum(each.required and blank(state.raw.get(each.name)) for each in mine) - wrong
    words = [
        f"{number} set" if number else "",
        f"{missing} needed" if missing > 0 else "",
        f"{wrong} to correct" if wrong else "",
    ]
    return ", ".join(word for word in words if word)


def holds_value(section: Section, state: FormState) -> bool:
    """Whether the group should stand open: it has a value, or an error."""
    return any(
        not blank(state.raw.get(each.name)) or each.name in state.errors or each.name in state.cleared
        for each in section.fields
    )


def is_needed(section: Section, state: FormState) -> bool:
    """Whether a field of the group must still be filled in."""
    shown = {each.name for each in state.shown()}
    return any(
        each.required and each.name in shown and blank(state.raw.get(each.name)) for each in section.fields
    )


def where(name: str, parts: Iterable[Section]) -> Section | None:
    """The section in which a field stands."""
    return next((each for each in parts if any(field.name == name for field in each.fields)), None)
