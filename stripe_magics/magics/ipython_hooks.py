"""What is hung into the shell, and taken out again: the input transformer, the completion matcher, the
display of frames.

Each `install_...` registers one hook and returns the function that takes it away. What the hooks do is
imported when they are first used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Undo = Callable[[], None]


def install_lines(ip: Any) -> Undo:
    """The transformer of our lines (input_transformer.py), before IPython's own."""
    manager = getattr(ip, "input_transformer_manager", None)
    hooks = manager.cleanup_transforms if manager is not None else ip.input_transformers_cleanup

    def transform(lines: list[str]) -> list[str]:
        if not any("%stripe" in line for line in lines):
            return lines
        from stripe_magics.magics.input_transformer import transform

        return transform(lines)

    hooks.append(transform)
    return lambda: _without(hooks, transform)


def _without(hooks: list[Any], hook: object) -> None:
    hooks[:] = [each for each in hooks if each is not hook]


def install_completion(ip: Any, magics: Any) -> Undo:
    """The matcher: of the kind that sees the whole cell (IPython 8.6 on), or of the old kind, which sees the
    current line only."""
    completer = getattr(ip, "Completer", None)
    if completer is None or not hasattr(completer, "custom_matchers"):
        return lambda: None  # a shell without completion
    try:
        from IPython.core.completer import SimpleCompletion, context_matcher
    except ImportError:
        matcher: Any = _old_matcher(completer, magics)
    else:

        @context_matcher(identifier="stripe_magics", priority=100)
        def matcher(context: Any) -> Any:
            python = _in_a_call(context.text_until_cursor)
            if "%stripe" not in context.full_text and not python:
                return {"completions": []}
            from stripe_magics.magics.completion import in_python, suggest
            from stripe_magics.magics.file_completion import file_is_next
            from stripe_magics.magics.suggestion import CompletionContext

            above = context.full_text.split("\n")[: context.cursor_line]
            text = "\n".join([*above, context.text_until_cursor])
            found = in_python(text) if python else suggest(text, CompletionContext(magics.seen, ip.user_ns))
            if found is None or (python and not found[1]):
                return {"completions": []}
            piece, hits = found if text.endswith(found[0]) else ("", [])
            return {
                "completions": _Only(SimpleCompletion(hit.text, type=hit.kind) for hit in hits),
                "matched_fragment": piece,
                "suppress": True,
                "do_not_suppress": _FILES if not python and file_is_next(text) else set(),
                "ordered": True,
            }

    completer.custom_matchers.append(matcher)
    return lambda: _without(completer.custom_matchers, matcher)


_FILES = {"IPCompleter.file_matcher"}
"""What stays beside ours where the name of a file or a folder is next."""


class _Only(list[Any]):
    """Completions beside which no others belong, even where there are none: IPython lets a matcher silence
    the others (Python's names) only if it says that it found something."""

    def __len__(self) -> int:
        """At least one."""
        return max(1, super().__len__())


def _in_a_call(text: str) -> bool:
    """Whether a line of Python may end inside the name of a module or report: `sm.call("cus`."""
    head, _, _ = text.rpartition("(")
    return head.endswith((".call", ".form", ".report"))


def _old_matcher(completer: Any, magics: Any) -> Callable[[str], list[str]]:
    def stripe_matches(token: str) -> list[str]:
        from stripe_magics.magics.completion import in_python, suggest
        from stripe_magics.magics.suggestion import CompletionContext

        text = str(getattr(completer, "text_until_cursor", "") or getattr(completer, "line_buffer", ""))
        python = _in_a_call(text)
        found = (
            in_python(text) if python else suggest(text, CompletionContext(magics.seen, magics.shell.user_ns))
        )
        if found is None or not found[0].endswith(token):
            return []
        start = len(found[0]) - len(token)
        return [hit.text[start:] for hit in found[1] if hit.text.startswith(found[0])]

    return stripe_matches


def install_key_watch(ip: Any, magics: Any) -> Undo:
    """A cell that failed since a key was typed into it, by whatever interface: the key is taken out of the
    history, too."""

    def ended(result: object) -> None:
        from stripe_magics.errors import KeyRefused

        if isinstance(getattr(result, "error_in_exec", None), KeyRefused):
            from stripe_magics.magics import key_scrubbing

            text = getattr(getattr(result, "info", None), "raw_cell", "")
            magics.forget(key_scrubbing.found(text), text)

    ip.events.register("post_run_cell", ended)
    return lambda: ip.events.unregister("post_run_cell", ended)


def _as_table(frame: Any) -> bool:
    """Whether the call of a frame asked for an interactive table."""
    from stripe_magics.frames.frame_info import call_of

    call = call_of(frame)
    return call is not None and call.table


def install_display(ip: Any, magics: Any) -> Undo:
    """The display of frames (dataframe_display.py): a printer of the mimebundle formatter, for DataFrames by
    name, so that pandas isn't imported.

    Where our printer has nothing to say, IPython goes on as if it were not there.
    """
    formatter = ip.display_formatter.mimebundle_formatter
    names = [("pandas", "DataFrame"), ("pandas.core.frame", "DataFrame")]  # pandas 3 and 2

    def printer(frame: Any) -> Any:
        if not frame.attrs:  # most frames of other people; nothing of ours is imported for them
            return {}, {}
        from stripe_magics.magics.dataframe_display import bundle

        shown = bundle(
            frame,
            max_rows=magics.max_rows,
            max_columns=magics.max_columns,
            all_columns=magics.all_columns,
            names=magics.names_beside_ids,
        )
        if shown and (magics.table or _as_table(frame)):
            from stripe_magics.forms.table_widget import MISSING, installed
            from stripe_magics.magics.dataframe_display import is_of_object

            if not installed():
                shown = {kind: f"{text}\n{MISSING}" for kind, text in shown.items()}
            elif is_of_object(frame):
                return magics.show_table(frame, names=magics.names_beside_ids, plain=shown), {}
        return shown or {}, {}

    before = [formatter.for_type_by_name(module, name, printer) for module, name in names]

    def undo() -> None:
        for (module, name), old in zip(names, before, strict=True):
            formatter.deferred_printers.pop((module, name), None)
            if old is not None:
                formatter.deferred_printers[module, name] = old
        for kind, current in list(formatter.type_printers.items()):
            if current is printer:
                del formatter.type_printers[kind]

    return undo


_LINKED = (("stripe_magics.magics.help_page", "HelpPage"), ("stripe_magics.request", "Request"))
"""What has a button under it that opens the form: by name, so that nothing is imported for it."""


def _paged(shown: object) -> None:
    """Help in a terminal: what is longer than the screen is read from its beginning."""
    from IPython.core.page import page

    page(repr(shown))


def install_form_links(ip: Any, magics: Any) -> Undo:
    """Help and dry runs with a button that opens the form, where there are widgets."""
    formatter = ip.display_formatter.ipython_display_formatter

    def printer(shown: Any) -> None:
        from IPython.display import display

        display({"text/plain": repr(shown), "text/html": shown._repr_html_()}, raw=True)
        if (link := magics.form_link(shown)) is not None:
            link._ipython_display_()

    terminal = type(ip).__name__ == "TerminalInteractiveShell"
    linked = _LINKED[:1] if terminal else _LINKED
    show = _paged if terminal else printer
    for module, name in linked:
        formatter.for_type_by_name(module, name, show)

    def undo() -> None:
        for place in linked:
            formatter.deferred_printers.pop(place, None)
        for kind, current in list(formatter.type_printers.items()):
            if current is show:
                del formatter.type_printers[kind]

    return undo
