"""The folder of a finished pull: maps and lists in Parquet's own types, whatever ends the writer, and the
same frame as before."""

from __future__ import annotations

import errno
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bulk.statement_stops import StatementStops
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

import stripe_magics as sm
from stripe_magics import _files, bulk
from stripe_magics.bulk import frame_append, typed_parts
from stripe_magics.bulk.list_requests import list_request
from stripe_magics.client.shared_connection import current
from stripe_magics.errors import FileError
from stripe_magics.finance.folders import ReportFolder
from stripe_magics.frames import manifest as manifests
from stripe_magics.frames import manifest_check, nested_types, typed_values
from stripe_magics.frames.arrow_columns import json_field
from stripe_magics.frames.manifest import Manifest
from stripe_magics.parsing.table_files import read_table

LISTS = (
    "invoices", "payment_intents", "payouts", "subscriptions", "events", "checkout.sessions",
    "balance_transactions",
)  # fmt: skip
SMALL = "payouts"  # of four parts, where each copy is finished again and again
MIXED = "values of several types: data_object"


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A pull of each list, as JSON text (`text`) and with types (`typed`)."""
    place = tmp_path_factory.mktemp("folders")
    sm.connect(sandbox=True)
    for name in LISTS:
        request = list_request(current(), name, limit=400)
        for kind in ("text", "typed"):
            saved = bulk.save(
                current(),
                request,
                place / kind / name,
                part_rows=100 if name == SMALL else 120,
                typed=kind == "typed",
            )
            assert saved["complete"]
            assert (MIXED in saved["note"]) == (name == "events" and kind == "typed")
    yield place
    sm.close()


@pytest.fixture(autouse=True)
def _connected() -> None:
    sm.connect(sandbox=True)


def _nested(folder: Path) -> dict[str, pa.DataType]:
    schemas = [pq.read_schema(path) for path in sorted(folder.glob("*.parquet"))]
    found = [{each.name: each.type for each in schema if pa.types.is_nested(each.type)} for schema in schemas]
    assert all(each == found[0] for each in found), "one schema over all parts"
    assert all(schema.names == schemas[0].names for schema in schemas)
    return found[0]


@pytest.mark.parametrize("name", LISTS)
def test_a_pull_has_types_and_is_the_same_frame(folders: Path, name: str) -> None:
    typed, text = folders / "typed" / name, folders / "text" / name
    df, before = sm.read_parquet(typed), sm.read_parquet(text)
    assert_frame_equal(df, before)
    assert df.attrs == before.attrs
    plain = pd.read_parquet(typed)
    kinds = _nested(typed)
    assert plain["id"].tolist() == pd.read_parquet(text)["id"].tolist()
    order = df.set_index("id").loc[plain["id"]]
    for column in df:
        cells = order[column] if column != "id" else plain["id"]
        if column not in plain or column == "data_object":  # of an object that the file has whole
            continue
        if any(isinstance(each, (dict, list)) for each in cells):
            assert column in kinds
            there = [not isinstance(each, (dict, list)) for each in cells]
            assert plain[column].isna().tolist() == there
    if "metadata" in kinds:
        assert kinds["metadata"] == pa.map_(pa.string(), pa.string())
        assert list(map(dict, plain["metadata"])) == order["metadata"].tolist()


def test_other_readers_open_them(folders: Path) -> None:
    duckdb = pytest.importorskip("duckdb", reason="the extra duckdb")
    place = folders / "typed" / "invoices"
    sums = {
        key: sum(line["amount"] for line in lines)
        for key, lines in sm.read_parquet(place).set_index("id")["lines"].items()
    }
    query = f"select id, list_sum([x.amount for x in lines.data]) from read_parquet('{place}/*.parquet')"
    assert dict(duckdb.sql(query).fetchall()) == sums
    arrow = pd.read_parquet(place, dtype_backend="pyarrow")["lines"].struct.field("data")
    assert arrow.list.flatten().struct.field("amount").sum() == sum(sums.values())


def test_a_part_is_a_table_to_send_rows_of(folders: Path) -> None:
    part = folders / "typed" / "invoices" / "part-00000.parquet"
    given = read_table(str(part)).set_index("id")
    df = sm.read_parquet(folders / "typed" / "invoices").set_index("id").loc[given.index]
    assert given["metadata"].tolist() == df["metadata"].tolist()
    amounts = [[line["amount"] for line in cell["data"]] for cell in given["lines"]]
    assert amounts == [[line["amount"] for line in cell] for cell in df["lines"]]


def test_reports_and_queries_over_the_folder_are_the_same(folders: Path) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb")
    text, typed = folders / "text", folders / "typed"
    one, other = ReportFolder(text / "invoices").lines(), ReportFolder(typed / "invoices").lines()
    assert one is not None
    assert other is not None
    assert one.values.equals(other.values)
    for query in (
        "select id, metadata->>'$.a' as o, json_array_length(lines->'data') as n from invoices order by id",
        "select count(*) as n, sum(amount) as a from balance_transactions",
        "select id, fee_details from balance_transactions order by id",
        "select id, data_object->>'$.id' as o from events order by id",
    ):
        asked = bulk.sql(query, target=text), bulk.sql(query, target=typed)
        for frame in asked:
            frame.attrs = {}
        assert_frame_equal(*asked)


# Ends -------------------------------------------------------------------------------------------------------
def _copy(folders: Path, to: Path) -> tuple[Path, pd.DataFrame]:
    shutil.copytree(folders / "text" / SMALL, to)
    return to, sm.read_parquet(folders / "text" / SMALL)


def _check(folder: Path, before: pd.DataFrame, where: str = "") -> Manifest:
    """A folder that reads as it should, by our own and other readers, and is as its manifest says."""
    found = manifests.load(folder)
    assert found is not None
    assert found.complete
    holes = [each for each in manifest_check.check(folder, found, content=True) if each.is_hole]
    assert not holes, where
    assert_frame_equal(sm.read_parquet(folder), before)
    assert sorted(path.name for path in folder.glob("*.parquet")) == [each.name for each in found.files]
    return found


def _finish(folder: Path, stop: Callable[[], bool] = lambda: False) -> bulk.parquet_export.Saved:
    return bulk.save(current(), list_request(current(), SMALL, limit=400), folder, stop=stop)


def test_a_stop_at_any_statement_leaves_the_same_rows(folders: Path, tmp_path: Path) -> None:
    """Also an end without any word (no `finally`), of which the manifest alone tells."""
    stops = StatementStops(typed_parts.__file__, manifests.__file__, _files.__file__)
    folder, before = _copy(folders, tmp_path / "count")
    found = manifests.load(folder)
    assert found is not None
    lines = stops.lines_of(lambda: typed_parts.give_types(folder, found, lambda: False))
    stopped = 0
    for number in range(3, lines, max(1, lines // 24)):
        folder, _ = _copy(folders, tmp_path / f"at-{number}")
        try:
            with stops.at(number):
                typed_parts.give_types(folder, found, lambda: False)
        except KeyboardInterrupt:
            stopped += 1
        _check(folder, before, stops.where)
        saved = _finish(folder)
        assert saved["complete"], stops.where
        assert saved["rows"] == len(before)
        assert _check(folder, before, stops.where).details["typed"], stops.where
        assert not list(folder.glob(".*.tmp")), stops.where
        shutil.rmtree(folder)
    assert stopped > 15
    gc.collect()


@pytest.mark.parametrize("renames", range(5))
def test_a_kill_between_two_renames_is_known_by_the_manifest(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, renames: int
) -> None:
    class Killed(BaseException):
        pass

    rename, done = _files.rename, list[str]()

    def killing(path: Path, target: Path) -> None:
        if len(done) == renames:
            raise Killed
        rename(path, target)
        done.append(target.name)

    folder, before = _copy(folders, tmp_path / "out")
    monkeypatch.setattr(_files, "rename", killing)
    if renames < 4:
        with pytest.raises(Killed):
            _finish(folder)
    else:  # all parts have their names; the last manifest isn't there yet
        store = manifests.store

        def killed(place: Path, manifest: Manifest) -> None:
            if done:
                raise Killed
            store(place, manifest)

        monkeypatch.setattr(manifests, "store", killed)
        with pytest.raises(Killed):
            _finish(folder)
    monkeypatch.undo()
    assert [each.name for each in _check(folder, before).files if each.name in done] == done
    assert _finish(folder)["complete"]
    assert _check(folder, before).details["typed"]
    assert _nested(folder)


def test_stop_or_a_file_in_use_between_two_renames_leaves_one_data_set(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parts of both kinds are none for pandas."""
    rename = _files.rename
    for number, problem in enumerate((KeyboardInterrupt(), FileError("in use"))):
        folder, before = _copy(folders, tmp_path / str(number))
        calls: list[str] = []

        def stopped(path: Path, target: Path, *, calls: list[str] = calls, ends: Any = problem) -> None:
            calls.append(target.name)
            if len(calls) == 2:
                raise ends
            rename(path, target)

        monkeypatch.setattr(_files, "rename", stopped)
        saved = _finish(folder)
        monkeypatch.undo()
        assert saved["complete"]
        assert len(pd.read_parquet(folder)) == len(before)
        assert _nested(folder)
        _check(folder, before)
        assert _finish(folder)["complete"]
        assert _check(folder, before).details["typed"]


def test_a_query_after_a_kill_between_two_renames_has_json_text(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("duckdb", reason="the extra duckdb")
    folder, _ = _copy(folders, tmp_path / SMALL)
    monkeypatch.setattr(manifests, "_take_places", _first)
    with pytest.raises(InterruptedError):
        _finish(folder)
    monkeypatch.undo()
    query = f"select id, metadata->>'$.a' as a, typeof(metadata) as kind from {SMALL} order by id"
    asked = bulk.sql(query, target=tmp_path), bulk.sql(query, target=folders / "text")
    for frame in asked:
        frame.attrs = {}
    assert_frame_equal(*asked)


@pytest.mark.parametrize("renames", [0, 1, 3, 4])
def test_the_next_read_finishes_what_a_kill_left_between_two_renames(
    folders: Path, tmp_path: Path, renames: int
) -> None:
    """A process that is killed cleans nothing up; other programs can read the folder after the next read by
    ours."""
    folder, before = _copy(folders, tmp_path / "out")
    manifest = manifests.load(folder)
    assert manifest is not None
    code = (
        "import os, signal, sys\nfrom pathlib import Path\nfrom stripe_magics import _files\n"
        "from stripe_magics.bulk import typed_parts\nfrom stripe_magics.frames import manifest\n"
        "folder, left, rename = Path(sys.argv[1]), int(sys.argv[2]), _files.rename\n"
        "def killing(path, target):\n"
        "    global left\n"
        "    if not left: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    left -= 1\n"
        "    rename(path, target)\n"
        "_files.rename = killing\n"
        "store = manifest.store\n"
        "def last(place, made):\n"
        "    if 'typed' in made.details: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    store(place, made)\n"
        "manifest.store = last\n"
        "typed_parts.give_types(folder, manifest.load(folder), lambda: False)\n"
    )
    command = [sys.executable, "-c", code, str(folder), str(renames)]
    assert subprocess.run(command, timeout=60, check=False).returncode == -signal.SIGKILL
    back = sm.read_parquet(folder)
    assert len(back) == len(before)
    assert not list(folder.glob(".*.tmp"))
    assert len(pd.read_parquet(folder)) == len(before)
    assert _check(folder, before).details["typed"]
    assert _nested(folder)


def test_a_read_leaves_a_folder_alone_that_a_writer_has(folders: Path, tmp_path: Path) -> None:
    folder, before = _copy(folders, tmp_path / "out")
    content = json.loads((folder / manifests.MANIFEST).read_text())
    content["details"]["replacements"] = {"files": content["files"], "details": {"typed": ["metadata"]}}
    (folder / manifests.MANIFEST).write_text(json.dumps(content))
    with _files.lock(folder / manifests.LOCK, purpose="test"):
        assert len(sm.read_parquet(folder)) == len(before)
        assert json.loads((folder / manifests.MANIFEST).read_text()) == content
    (folder / manifests.MANIFEST).chmod(0o444)
    sm.read_parquet(folder)
    assert "replacements" not in json.loads((folder / manifests.MANIFEST).read_text())["details"]


def _first(folder: Path, temporary: dict[str, Path]) -> None:
    name, path = next(iter(temporary.items()))
    path.replace(folder / name)
    raise InterruptedError


def test_a_damaged_part_is_read_again_not_given_a_checksum(folders: Path, tmp_path: Path) -> None:
    """One of the same size, which still reads: only the checksum knows."""
    folder, before = _copy(folders, tmp_path / "out")
    path = folder / "part-00001.parquet"
    content = bytearray(path.read_bytes())
    created = b"parquet-cpp-arrow"
    place = content.index(created)
    content[place : place + 1] = b"P"
    path.write_bytes(content)
    saved = _finish(folder)
    assert any("part-00001.parquet: damaged" in note for note in saved["notes"])
    assert _check(folder, before).details["typed"]


def test_stop_leaves_json_text_and_says_so(folders: Path, tmp_path: Path) -> None:
    folder, before = _copy(folders, tmp_path / "out")
    saved = _finish(folder, stop=lambda: True)
    assert saved["complete"]
    assert saved["rows"] == len(before)
    assert "All 400 rows are there, with maps and lists as JSON text (this was stopped)" in saved["note"]
    assert not _nested(folder)
    _check(folder, before)
    assert not _finish(folder)["notes"]
    assert _nested(folder)


@pytest.mark.parametrize("at", [1, 3, 7, 9])
def test_a_full_disk_leaves_json_text_and_says_so(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    folder, before = _copy(folders, tmp_path / "out")
    count, fsync = 0, os.fsync

    def full(descriptor: int) -> None:
        nonlocal count
        count += 1
        if count >= at:
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    saved = _finish(folder)
    monkeypatch.undo()
    assert saved["complete"]
    assert "No space left on device" in saved["note"]
    assert not list(folder.glob(".*.tmp"))
    _check(folder, before)
    assert _finish(folder)["complete"]
    assert _nested(folder)


def test_a_part_that_is_gone_is_read_again_and_typed_again(folders: Path, tmp_path: Path) -> None:
    folder, before = tmp_path / "out", sm.read_parquet(folders / "typed" / SMALL)
    shutil.copytree(folders / "typed" / SMALL, folder)
    (folder / "part-00001.parquet").unlink()
    saved = _finish(folder)
    assert any("part-00001.parquet is missing" in note for note in saved["notes"])
    assert _check(folder, before).details["typed"]
    assert _nested(folder)


def test_a_version_that_knows_no_types_is_told(folders: Path) -> None:
    def version(kind: str) -> int:
        said = json.loads((folders / kind / "invoices" / manifests.MANIFEST).read_text())
        return int(said["version"])

    assert (version("text"), version("typed")) == (2, 3)


def test_a_renamed_file_that_cannot_take_its_place_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"b\.parquet can't be replaced: No such file"):
        _files.rename(tmp_path / "a", tmp_path / "b.parquet")


def test_over_accounts_the_parts_stay_text(listed: Callable[..., Any], tmp_path: Path) -> None:
    """Each account's folder would have types of its own: no data set over all of them."""
    _, connection = listed(count=40)
    accounts = ["acct_1", "acct_2"]
    bulk.pull("payment_intents", accounts=accounts, to=tmp_path, connection=connection, quiet=True)
    assert len(pd.read_parquet(tmp_path)) == 80
    for path in tmp_path.rglob("*.parquet"):
        assert pa.types.is_string(pq.read_schema(path).field("metadata").type)


@pytest.mark.parametrize("few", [50, 5_000])
def test_rows_that_a_watch_adds_make_text_of_a_pull(
    folders: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """Its parts are JSON text, and parts of both kinds are no data set for pandas."""
    monkeypatch.setattr(frame_append, "MIN_FILE_ROWS", few)
    folder = tmp_path / SMALL
    shutil.copytree(folders / "typed" / SMALL, folder)
    rows = sm.read_parquet(folder).head(3)
    rows["id"] = ["po_new1", "po_new2", "po_new3"]
    assert bulk.FrameAppender(folder, "payout")(rows) == 3
    found = manifests.load(folder)
    assert found is not None
    assert found.rows == 403
    assert not manifest_check.check(folder, found, content=True)
    plain = pd.read_parquet(folder)
    assert plain["id"].nunique() == len(plain) == 403
    assert not _nested(folder)
    assert _finish(folder)["rows"] == 403
    assert pd.read_parquet(folder)["id"].nunique() == 403


# Values -----------------------------------------------------------------------------------------------------
_KEYS = st.sampled_from(["id", "a", "b", "metadata", "lines"])
_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=3),
)  # fmt: skip
_VALUES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_KEYS, inner, max_size=4)),
    max_leaves=8,
)
_CELLS = st.lists(st.one_of(st.none(), st.dictionaries(_KEYS, _VALUES), st.lists(_VALUES)), max_size=12)


@settings(deadline=None, max_examples=100)
@given(cells=_CELLS)
def test_any_values_come_back_equal(cells: list[Any]) -> None:
    """Or have no type: never others."""
    try:
        field, array = nested_types.nested_array(cells, "column")
    except typed_values.MixedValuesError:
        return
    if not typed_values.is_typed(field):
        assert all(cell is None for cell in cells)
        return
    table = pa.Table.from_arrays([array], schema=pa.schema([field]))
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    back = pq.read_table(pa.BufferReader(sink.getvalue()))
    values = [each for some in typed_values.values_of(back.column(0), back.schema.field(0)) for each in some]
    assert values == cells
    text = nested_types.as_json_text(back)
    assert [None if each is None else json.loads(each) for each in text.column(0).to_pylist()] == cells


def test_a_map_of_many_keys_loses_no_key_of_an_object_in_it() -> None:
    """Whichever of its objects came first."""
    many = {f"x{number}": {"a": "1"} for number in range(70)}
    for cell in ({"metadata": {"k": "v"}, **many}, {**many, "metadata": {"k": "v"}}):
        field, array = nested_types.nested_array([cell], "column")
        assert [each for some in typed_values.values_of(array, field) for each in some] == [cell]


def test_a_key_that_a_type_does_not_have_is_no_value_of_it() -> None:
    with pytest.raises(typed_values.MixedValuesError):
        typed_values.typed_array([[{"a": 1, "b": 2}]], "column", pa.struct([("a", pa.int64())]))


@pytest.mark.parametrize("text", ["cus_1", '{"b": 1}'])
def test_text_in_one_part_and_objects_in_another_stay_as_they_are(tmp_path: Path, text: str) -> None:
    """A reference that was expanded in some rows only."""
    files = []
    for number, (field, value) in enumerate(
        ((json_field("value"), '{"a":1}'), (pa.field("value", pa.string()), text))
    ):
        schema = pa.schema([pa.field("id", pa.string()), field])
        table = pa.Table.from_arrays([pa.array([f"a_{number}"]), pa.array([value])], schema=schema)
        files.append(manifests.write_file(tmp_path, table, f"part-{number:05}.parquet"))
    manifest = Manifest("charge", tuple(files), complete=True)
    manifests.store(tmp_path, manifest)
    after = typed_parts.give_types(tmp_path, manifest, lambda: False)
    assert after.details == {"typed": [], "text": ["value"]}
    assert pd.read_parquet(tmp_path)["value"].tolist() == ['{"a":1}', text]


_SOME = (
    {"a": 1, "b": None}, {"a": 2}, {"b": "x"}, {}, {"c": [{"d": 1}, {}, {"d": None}]},
    {"metadata": {"k": "v"}},
)  # fmt: skip


def test_parts_of_several_shapes_get_one_type(tmp_path: Path) -> None:
    """A key, a column and a type that only one part has."""
    parts: tuple[tuple[dict[str, Any], ...], ...] = (_SOME[:2] * 700, _SOME[2:4], _SOME[4:])
    files, wrong = [], {"x": "text"}
    for number, cells in enumerate(parts):
        texts = pa.array([json.dumps(cell) for cell in cells])
        arrays = {"id": pa.array([f"a_{number}_{row}" for row in range(len(cells))])}
        fields = [pa.field("id", pa.string()), json_field("value")]
        columns = [arrays["id"], texts]
        if number == 1:
            fields += [pa.field("only", pa.int64()), json_field("mixed")]
            columns += [pa.array([1, 2]), pa.array(['{"x": 1}', json.dumps(wrong)])]
        table = pa.Table.from_arrays(
            columns, schema=pa.schema(fields, metadata={b"stripe_object": b"charge"})
        )
        files.append(manifests.write_file(tmp_path, table, f"part-{number:05}.parquet"))
    manifest = Manifest("charge", tuple(files), complete=True)
    manifests.store(tmp_path, manifest)
    after = typed_parts.give_types(tmp_path, manifest, lambda: False)
    assert after == manifests.load(tmp_path)
    assert after.details == {"typed": ["value"], "text": ["mixed"]}
    assert [each.rows for each in after.files] == [1_400, 2, 2]
    plain = pd.read_parquet(tmp_path)
    assert plain["only"].dropna().tolist() == [1, 2]
    assert len(plain) == 1_404
    back = [
        json.loads(text)
        for table in manifests.tables(tmp_path, after)
        for text in table.column("value").to_pylist()
    ]
    assert back == [cell for part in parts for cell in part]
