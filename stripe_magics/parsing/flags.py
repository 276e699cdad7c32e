"""The words of a line: flags of the module's fields, common options, Stripe's own parameters, ids of the
path."""

from __future__ import annotations

from collections import ChainMap

from stripe_magics._characters import DASHES, QUOTES, faults, name_of
from stripe_magics._form_encoding import plain
from stripe_magics._options import OPTIONS, Option, find_option, read_option
from stripe_magics._text import BOOLEAN_WORDS, closest_matches, read_boolean
from stripe_magics.catalogue.field import Field, Kind
from stripe_magics.errors import UnknownName, UsageFault
from stripe_magics.parsing import command_names, structured_values
from stripe_magics.parsing.call_builder import CallBuilder
from stripe_magics.parsing.flag_tables import CURSORS, ELSEWHERE, HANDLER_FLAGS, SHORT
from stripe_magics.parsing.lexer import Word
from stripe_magics.parsing.table_files import is_table_file, read_table
from stripe_magics.parsing.variables import resolve


def read_words(call: CallBuilder, words: list[Word]) -> None:
    """Read flags and positional ids."""
    _frame_first(call, words)
    at, positional = 0, []
    while at < len(words):
        word = words[at]
        at += 1
        if word.text == "--" and word.mask == "..":
            positional += words[at:]
            break
        if not word.flag:
            positional.append(word)
            continue
        name, given = _name_and_value(call, word)
        following = words[at] if at < len(words) else None
        at += _flag(call, name, given, following)
    _positional(call, positional)


def _frame_first(call: CallBuilder, words: list[Word]) -> None:
    """`--from df` makes the columns of df names for the other values of the line."""
    for at, word in enumerate(words):
        given = (
            word.cut(7)
            if word.text.startswith("--from=")
            else words[at + 1]
            if word.text == "--from" and at + 1 < len(words)
            else None
        )
        if given is None or call.module.get("from") is not None or not word.flag:
            continue
        frame = (
            read_table(given.text) if is_table_file(given.text) else resolve(_as_name(given), call.namespace)
        )
        columns = getattr(frame, "columns", None)
        if columns is None:
            raise UsageFault(f"--from takes a DataFrame; {given.text} is a {type(frame).__name__}.")
        if call.by_row:
            raise UsageFault("--from is given twice.")
        call.by_row = True
        call.options["from"] = frame
        if not is_table_file(given.text):
            _source(call, "from_", _as_name(given))
        call.namespace = ChainMap({str(name): frame[name] for name in columns}, dict(call.namespace))


def _name_and_value(call: CallBuilder, word: Word) -> tuple[str, Word | None]:
    """The flag's name and what stands after its equals sign. A bracket in the name may hold one
    (`--metadata[a]=b`)."""
    start = 2 if word.text.startswith("--") else 1
    at = word.text.find("=", start)
    name = word.text[start:] if at < 0 else word.text[start:at]
    if start == 1:
        if name not in SHORT and name[:1] in SHORT and at < 0:  # -d"x=y" written together
            return SHORT[name[0]], word.cut(2)
        if name[:1] in SHORT and len(name) > 1:
            return SHORT[name[0]], word.cut(2)
        if name not in SHORT:
            raise UnknownName(
                "flag", f"-{name}", closest_matches(name, [each.flag for each in call.module.fields])
            )
        name = SHORT[name]
    return name, None if at < 0 else word.cut(at + 1)


def _flag(call: CallBuilder, name: str, given: Word | None, following: Word | None) -> int:
    """Take one flag; how many of the following words were its value (0 or 1)."""
    check_name(name, "flag")
    key = name.replace("-", "_")
    own = call.module.get(key) or (call.module.by_param(name) or call.module.by_param(key))
    if own is not None:
        return _own(call, own, given, following)
    if (
        key.startswith("no_")
        and (switch := call.module.get(key[3:])) is not None
        and switch.kind is Kind.BOOLEAN
        and given is None
    ):
        call.give(switch.name, value=False)
        return 0
    option = find_option(key)
    if option is not None:
        return _option(call, option, name, given, following)
    here = HANDLER_FLAGS.get(call.module.handler, {}).get(key)
    if here is not None:
        value, used = (None, 0) if here == "flag" else _value(f"--{name}", given, following)
        found = True if value is None else resolve(value, call.namespace)
        if here == "list":
            several = [found] if isinstance(found, str) else plain(found)
            if not isinstance(several, list):
                raise UsageFault(f"--{name} takes a text or a list of texts, not a {type(found).__name__}.")
            found = [*call.values.get(key, ()), *several]
        call.values[key] = found
        return used
    if key in {"data", "header", "api_key", *CURSORS}:
        value, used = _value(name, given, following)
        _data(call, key, value)
        return used
    if key in ELSEWHERE:
        wants, note = ELSEWHERE[key]
        call.notes += [note] if note else []
        return int(wants and given is None and following is not None)
    return _stripes(call, name, given, following)


def _own(call: CallBuilder, own: Field, given: Word | None, following: Word | None) -> int:
    """A flag of one of the module's fields."""
    if own.kind is Kind.BOOLEAN and given is None:
        taken = following is not None and (following.text.lower() in BOOLEAN_WORDS or following.name != "")
        call.give(own.name, resolve(following, call.namespace) if taken and following is not None else True)
        return int(bool(taken))
    or_words = own.kind is Kind.CHOICE and "true" in own.choices  # yes, no, or one of some words
    if or_words and given is None and (following is None or following.flag):
        call.give(own.name, "true")
        return 0
    value, used = _value(own.flag, given, following)
    call.give(own.name, structured_values.read(own, resolve(value, call.namespace)))
    _source(call, own.name, value)
    return used


def _source(call: CallBuilder, name: str, word: Word) -> None:
    """Remember the name by which an object was given."""
    if word.name:
        call.sources[name] = word.name


def _option(call: CallBuilder, option: Option, name: str, given: Word | None, following: Word | None) -> int:
    """An option common to all modules; its value is read by `_options.read_option`."""
    if option.takes == "flag":
        if given is not None and read_boolean(given.text) is None:
            raise UsageFault(f"--{name} takes no value, {given.text!r} was given.")
        call.options[option.key] = True if given is None else given.text
        return 0
    value, used = _value(f"--{name}", given, following)
    if option.takes == "frame":
        return used  # taken before all others: its columns are names for them
    found = resolve(value, call.namespace)
    if option.takes == "list" and plain(found) is not None and found != "":
        try:
            read = read_option(option, structured_values.texts(found))
        except ValueError as problem:
            raise UsageFault(f"--{name}: {problem}.") from None
        call.options.setdefault(option.key, []).extend(read)
        return used
    if option.key in call.options:
        raise UsageFault(f"--{name} is given twice.")
    call.options[option.key] = found
    _source(call, option.name, value)
    return used


def _stripes(call: CallBuilder, name: str, given: Word | None, following: Word | None) -> int:
    """A flag that is neither: a parameter of Stripe's (`--shipping.address.line1`), or a mistake."""
    param = command_names.bracketed(name)
    known = call.module.by_param(param)
    if known is not None:
        return _own(call, known, given, following)
    if not command_names.takes(call.module, param):
        flags = [each.flag for each in call.module.fields]
        flags += [
            "--" + each.replace("_", "-") for each in (*OPTIONS, *HANDLER_FLAGS.get(call.module.handler, ()))
        ]
        raise UnknownName(
            "flag",
            f"--{name}",
            closest_matches(f"--{name}", flags),
            advice=f"`%stripe {command_names.shown(call.module)} --help` shows its fields.",
        )
    fact = command_names.known_params(call.module.name).get(param) if call.module.documented else None
    switch = (
        fact is not None
        and fact.kind is Kind.BOOLEAN
        and following is not None
        and following.text.lower() not in BOOLEAN_WORDS
    )
    alone = given is None and (following is None or following.flag or switch)
    value, used = (Word.plain("true"), 0) if alone else _value(f"--{name}", given, following)
    call.add(param, resolve(value, call.namespace))
    return used


def _value(flag: str, given: Word | None, following: Word | None) -> tuple[Word, int]:
    """The value of a flag that needs one, and how many words it took."""
    if given is not None:
        return given, 0
    if following is None or (following.flag and following.text.startswith("--")):
        name = flag if flag.startswith("--") else f"--{flag}"
        raise UsageFault(f"{name} needs a value.", advice=f'Empty text is written {name} "".')
    return following, 1


def _data(call: CallBuilder, key: str, word: Word) -> None:
    """`-d name=value`, `-H "Name: value"` and the two cursors."""
    if key == "api_key":
        raise UsageFault("There is no key argument anywhere: keys come from `%stripe connect`.")
    if key == "header":
        call.header_word(word)
        return
    if key != "data":
        call.add(key, resolve(word, call.namespace))
        return
    name, equals, _ = word.text.partition("=")
    if not equals or not name:
        raise UsageFault(
            f"-d takes parameter=value; {word.text!r} was given.",
            advice='For example: -d "metadata[order_id]"=6735',
        )
    check_name(name, "parameter")
    call.param(name, resolve(word.cut(len(name) + 1), call.namespace))


def _within_line(title: str) -> str:
    """A title as it stands in the middle of a sentence: "Customer" is no name, "URL" stays one."""
    return title if title[:2].isupper() else f"{title[0].lower()}{title[1:]}"


def _positional(call: CallBuilder, words: list[Word]) -> None:
    """Ids of the path, in its order."""
    places = [each for each in call.module.path_fields if each.name not in call.values]
    for word, place in zip(words, places, strict=False):
        call.give(place.name, resolve(word, call.namespace))
        _source(call, place.name, word)
    if len(words) > len(places):
        extra, count = words[len(places)].text, len(call.module.path_fields)
        _refuse_odd(words)
        takes = " and ".join(f"the {_within_line(each.title)}" for each in call.module.path_fields)
        numbers = {
            1: "one positional argument",
            2: "two positional arguments",
            3: "three positional arguments",
        }
        what = f"takes {numbers[count]}: {takes}" if count else "takes no positional argument"
        names = [each.name for each in call.module.fields]
        near = [extra] if extra in names else closest_matches(extra, names, 1)
        hint = (
            f"Did you mean --{near[0].replace('_', '-')}?"
            if near
            else "Text with spaces goes into quotes; a field is given as --name value."
        )
        raise UsageFault(
            f"Unexpected argument {extra!r}. `{command_names.shown(call.module)}` {what}.", advice=hint
        )


def check_name(name: str, what: str) -> None:
    """Refuse a name with characters that copying brings; a key in brackets (`--metadata[ключ]`) may have any
    that can be seen."""
    plain_part, _, key = name.partition("[")
    odd = next(faults(plain_part), "") or next((each for each in faults(key) if "can't be seen" in each), "")
    if odd:
        raise UsageFault(f"The {what} {name!r} {odd}. Nothing was sent.")


def _refuse_odd(words: list[Word]) -> None:
    """Words that copying made of flags and of quotes: they are no ids, and what they mean is clear."""
    for each in words:
        text = each.text
        name = text.lstrip("-" + "".join(DASHES)).partition("=")[0]
        if text[:1] in DASHES:
            raise UsageFault(
                f"{text!r} begins with a dash that is not a hyphen ({name_of(text[0])}). Nothing was sent.",
                advice=f"A flag is written with two hyphens: --{name}",
            )
    odd = next((char for each in words for char in each.text if char in QUOTES), "")
    if odd:
        raise UsageFault(
            f"{odd} ({name_of(odd)}) doesn't quote on a line: its words were read one by one. Nothing was"
            " sent.",
            advice="Write \" or ' round text with spaces.",
        )


def _as_name(word: Word) -> Word:
    """`--from df` and `--from $df` are the same."""
    return word if word.text.startswith("$") else Word("$" + word.text, "." + word.mask)
