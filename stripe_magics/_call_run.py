"""A call under way: its pages, or its one answer and the calls that follow it; then the frame, and what it
says of how the call ended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from stripe_magics import catalogue
from stripe_magics._command import Command
from stripe_magics._redaction import HIDDEN, mask_params
from stripe_magics.catalogue.list_defaults import list_default
from stripe_magics.catalogue.stripe_objects import object_path
from stripe_magics.errors import (
    AnswerUnusable,
    Details,
    Fault,
    IncompleteList,
    InvalidValue,
    NotFound,
    StripeError,
    StripeMagicsError,
    UnknownName,
)
from stripe_magics.progress import ProgressGroup
from stripe_magics.request import Request

if TYPE_CHECKING:
    import pandas as pd

    from stripe_magics.client.http.response import ApiResponse
    from stripe_magics.client.journal.journal import Origin
    from stripe_magics.client.shared_connection import Connection
    from stripe_magics.frames.frame_info import FrameAttrs


def frame_attrs(
    connection: Connection,
    request: Request,
    *,
    complete: bool = True,
    table: bool = False,
    names: bool = True,
) -> FrameAttrs:
    """`attrs["stripe"]` of a frame that answers a request: whose it is, of which version, and the call, its
    secrets masked."""
    from stripe_magics.client.call_context import account_of
    from stripe_magics.frames.frame_info import CallInfo, FrameInfo

    return FrameInfo(
        object=request.returns,
        api_version=dict(request.headers).get("Stripe-Version") or connection.api_version,
        account=account_of(connection, request.headers),
        livemode=connection.live,
        mode=connection.mode,
        zone=str(connection.zone),
        units="minor",
        complete=complete,
    ).attrs(
        CallInfo(
            module=request.module,
            params=dict(mask_params(request.params)),
            table=table,
            names=names,
            identity=connection.identity,
        )
    )


def check_currencies(connection: Connection, request: Request) -> None:
    """Refuse an amount that names another currency than the object has which it is about: Stripe would take
    its number as it is.

    Raises `InvalidValue`. An object that isn't there is left to the call itself: it is refused in Stripe's
    own words.
    """
    module = catalogue.find(request.module)
    faults = []
    for each in request.currency_checks:
        look = Request(module=request.module, method="GET", path=each.path, headers=request.headers)
        try:
            own = connection.send(look).data.get("currency")
        except NotFound:
            continue
        declared = module.get(each.field)
        if own and own != each.currency and declared is not None:
            what = each.path.rpartition("/")[2]
            faults.append(
                Fault(each.field, declared.title, f"is given in {each.currency}, but {what} is in {own}")
            )
    if faults:
        raise InvalidValue(faults, module=request.module)


@dataclass(slots=True)
class CallRun:
    """One call under way: what was sent so far and what the frame has to say of it."""

    connection: Connection
    request: Request
    command: Command
    origin: Origin | None
    ask: Callable[[str], str] | None
    together: ProgressGroup
    request_ids: list[str] = field(default_factory=list)
    more: bool = False  # Stripe has more rows than were asked for
    replayed: bool = False
    stopped: BaseException | None = None
    answer: ApiResponse | None = None  # the last one of a write
    notes: list[str] = field(default_factory=list)

    def read(self) -> Any:
        """Lists: pages until the limit; several lists are merged newest first."""
        import stripe_magics.accessor  # noqa: F401 - registers df.stripe
        from stripe_magics import frames
        from stripe_magics.client.pagination.paginator import windowed

        request, limit = self.request, self.request.limit
        merged = bool(request.merged_requests)
        lists = [
            replace(each, limit=None) if request.row_filters else each
            for each in (request, *request.merged_requests)
        ]
        options = self.command.options
        if options.raw:
            bodies = [body for each in lists for body in self._bodies(each)]
            if self.stopped is not None:
                raise self.stopped
            return _raw_rows(bodies, request)
        if request.scan_warning:
            self.notes.append(request.scan_warning)
        columns = options.columns
        frame = frames.build(
            (body for each in lists for body in self._bodies(each)),
            request.returns,
            attrs=self._attrs(),
            expand=self._expanded(),
            columns=(
                [*columns, *(("created",) if merged and "created" not in columns else ())] if columns else ()
            ),
            row_filters=request.row_filters,
            limit=None if merged else limit,
            newest_first=not self._in_order() and any(windowed(each) for each in lists),
        )
        if merged:
            self.more = self.more or (limit is not None and len(frame) > limit)
            kept = frame.sort_values("created", ascending=False, kind="stable").head(
                limit if limit is not None else len(frame)
            )
            kept.attrs = frame.attrs
            frame = kept.reset_index(drop=True)
        elif request.row_filters and limit is not None and len(frame) >= limit:
            self.more = True
        return self._record_end(frame)

    def _expanded(self) -> list[str]:
        """The paths that the request expands."""
        return [value for name, value in self.request.params if name.startswith("expand[")]

    def write(self) -> Any:
        """One object: the call, then those that follow it. A Stop between any two lines says what was carried
        out by then."""
        try:
            return self._write()
        except KeyboardInterrupt as stop:
            if stop.args or self.answer is None or self.request.method == "GET":
                raise
            raise KeyboardInterrupt(f"Stopped, but it was carried out: {_made(self.answer)}.") from None

    def _write(self) -> Any:
        import stripe_magics.accessor  # noqa: F401 - registers df.stripe

        check_currencies(self.connection, self.request)
        answer = self._send(self.request, step=0)
        for step, following in enumerate(self.request.follow_ups, start=1):
            try:
                later = self._send(following, step=step)
            except StripeMagicsError as error:
                error.add_facts(f"  Done before that: {self._done(step)}.")
                raise
            except KeyboardInterrupt:  # it says that nothing was done, of its own step
                raise KeyboardInterrupt(f"Stopped. Done before that: {self._done(step)}.") from None
            if following.is_main_response:
                answer = later
        if self.command.options.raw:
            return answer.data
        try:
            return self._record_end(self._one_row(answer))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"Stopped, but it was carried out: {_made(answer)}.") from None
        except Exception as problem:
            # whatever is odd about the answer: that it was carried out must not be lost
            if self.request.method == "GET" and isinstance(problem, StripeMagicsError):
                raise
            raise AnswerUnusable(
                f"It was carried out: {_made(answer)}. Its answer can't be shown as a table"
                f" ({type(problem).__name__}: {problem}).",
                advice="Don't make it again. raw=True (--raw) gives answers as Stripe's JSON.",
                details=Details(
                    status=answer.status,
                    request_id=answer.request_id,
                    operation=answer.operation,
                    idempotency_key=answer.idempotency_key,
                    maybe_executed=True,
                ),
            ) from problem

    def _one_row(self, answer: ApiResponse) -> pd.DataFrame:
        """The object that came back. A column that it hasn't is noted: what was carried out must not end in
        an error."""
        from stripe_magics import frames

        def built(columns: Sequence[str]) -> pd.DataFrame:
            return frames.build(
                [answer.body],
                self.request.returns,
                attrs=self._attrs(),
                expand=self._expanded(),
                columns=columns,
                row_filters=self.request.row_filters,
            )

        try:
            return built(self.command.options.columns)
        except UnknownName as unknown:
            if self.request.method == "GET":
                raise
            self.notes.append(f"{unknown.message} All columns are here.")
            return built(())

    def _done(self, steps: int) -> str:
        return ", ".join(
            f"{each.method} {each.path}" for each in (self.request, *self.request.follow_ups)[:steps]
        )

    def _send(self, request: Request, *, step: int) -> ApiResponse:
        options = self.command.options
        origin = self.origin.step(step) if self.origin is not None else None
        own = self.request.idempotency_key
        key = f"{own[:240]}-{step}" if own and step and request.method == "POST" else ""  # of a later call
        answer = self.answer = self.connection.send(
            request, origin=origin, idempotency_key=key, again=options.again, yes=options.yes, ask=self.ask
        )
        self.request_ids.append(answer.request_id)
        self.replayed = self.replayed or answer.replayed
        self.notes.extend(answer.notices)
        return answer

    def _bodies(self, request: Request) -> Iterator[bytes]:
        """The raw pages of one list. A fault or Stop in the middle ends them; `_record_end` then says so."""
        from stripe_magics.client.pagination.paginator import pages

        if self.stopped is not None:
            return
        more = False
        try:
            with self.together.part(None if request.row_filters else request.limit) as progress:
                for answer in pages(self.connection, request, progress=progress, ordered=self._in_order()):
                    self.request_ids.append(answer.request_id)
                    self.notes.extend(note for note in answer.notices if note not in self.notes)
                    yield answer.body
                    more = answer.has_more
        except (IncompleteList, KeyboardInterrupt) as stop:
            self.stopped = stop
        self.more = self.more or more

    def _in_order(self) -> bool:
        """Raw rows come as Stripe gives them; rows that are tested here are read newest first until enough of
        them pass."""
        return self.command.options.raw or bool(self.request.row_filters and self.request.limit is not None)

    def _attrs(self) -> FrameAttrs:
        options = self.command.options
        return frame_attrs(self.connection, self.request, table=options.table, names=options.names)

    def _record_end(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Write into the frame's attrs how the call ended; a fault in mid-list is raised with the rows so
        far."""
        from stripe_magics.frames.column_facts import cut_lists
        from stripe_magics.frames.frame_info import FrameInfo, facts_of

        about = facts_of(frame)
        cut = cut_lists(frame)
        about["complete"] = not self.more and self.stopped is None and not cut
        for name, count in cut.items():
            self.notes.append(
                f"{name} of {count:,} row{'' if count == 1 else 's'}: Stripe sent the first items only. "
                f'df.stripe.explode("{name}") fetches the rest.'
            )
        if "url" in frame and (frame["url"] == HIDDEN).any():
            again = object_path(FrameInfo.of(frame).object, "id")
            how = 'df.stripe.reveal("url") shows it' if again else "the call with --raw (raw=True) shows it"
            self.notes.append(f"url lets in whoever has it, so it is hidden: {how}.")
        about["request_ids"] = self.request_ids[-20:]
        about["limit_given"] = self.request.limit_given
        if self.replayed:
            about["replayed"] = True
        if self.more and self.stopped is None:
            self.notes.append(_more_note(len(frame), self.request))
        default = list_default(self.request.path, self.request.params)
        if default is not None and self.request.limit is None and self.request.lists:
            self.notes.append(default.note())
        if isinstance(self.stopped, KeyboardInterrupt):
            how = self.stopped.advice if isinstance(self.stopped, StripeError) else ""
            self.notes.append(f"Stopped after {len(frame):,} rows: this list is not complete. {how}".strip())
        if self.notes:
            about["notes"] = list(dict.fromkeys(self.notes))
        if isinstance(self.stopped, IncompleteList) and not isinstance(self.stopped, KeyboardInterrupt):
            self.stopped.frame = frame
            raise self.stopped
        return frame


def _made(answer: ApiResponse) -> str:
    """What a write made, for a message: its id, else the request's."""
    return str(answer.data.get("id") or f"request {answer.request_id}")


def _more_note(rows: int, request: Request) -> str:
    shown = f"{rows:,} row{'' if rows == 1 else 's'}"
    if request.searches and not request.limit_given:
        return f"Showing {shown}; there are more: --limit all."
    return (
        f"Showing {'the newest ' if not request.searches else ''}{shown}; there are more: --limit N or"
        " --limit all."
    )


def _raw_rows(bodies: list[bytes], request: Request) -> Any:
    """Stripe's JSON: the objects of a list, or the one object."""
    import json

    answers = [json.loads(body) for body in bodies]
    if not request.lists and answers and "data" not in answers[0]:
        return answers[0]
    rows = [row for answer in answers for row in answer.get("data", [answer])]
    return rows if request.limit is None else rows[: request.limit]
