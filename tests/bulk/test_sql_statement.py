"""`sql` reads: what writes, attaches, loads or fetches something is refused before it runs, and nothing of it
happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from stripe_magics import bulk
from stripe_magics.errors import UsageFault

pytest.importorskip("duckdb", reason="the extra `duckdb` isn't installed")


@pytest.fixture(scope="module")
def mirror(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from stripe_magics.client import shared_connection as connections

    folder = tmp_path_factory.mktemp("sql") / "m"
    connection = connections.connect(sandbox=True)
    bulk.sync(folder, "customers", "checkout.sessions", connection=connection, quiet=True)
    connections.close()
    return folder


WRITES = [
    ("copy customers to 'out.csv'", "copy"),
    ("COPY (select 1) TO 'out.parquet'", "copy"),
    ("-- a note\n/* and one */ copy customers to 'out.csv'", "copy"),
    ("with x as (copy (select 1) to 'out.csv') select 1", "copy"),
    ("with x as materialized ( -- c\n CoPy (select 1) to 'out.csv') from x", "copy"),
    ("explain analyze copy (select 1) to 'out.csv'", "copy"),
    ("explain (analyze) copy (select 1) to 'out.csv'", "copy"),
    ("copy (pivot customers on currency using count(*)) to 'out.csv'", "copy"),
    ("from json_execute_serialized_sql(json_serialize_sql('select 1'))", "json_execute_serialized_sql"),
    ('from "json_execute_serialized_sql"(json_serialize_sql($$select 1$$))', "json_execute_serialized_sql"),
    ("from query('from json_execute_serialized_sql(''x'')')", "json_execute_serialized_sql"),
    ("from enable_profiling()", "enable_profiling"),
    ("export database 'out'", "export"),
    ("attach 'out.duckdb'", "attach"),
    ("install httpfs", "install"),
    ("load httpfs", "load"),
    ("create persistent secret x (type s3)", "create"),
    ("create table x as select 1", "create"),
    ("drop view customers", "drop"),
    ("insert into customers values (1)", "insert"),
    ("delete from customers", "delete"),
    ("set memory_limit = '1GB'", "set"),
    ("pragma enable_profiling", "pragma"),
    ("pragma memory_limit='1GB'", "pragma"),
    ("explain analyze pragma enable_profiling", "pragma"),
    ("call pragma_version()", "call"),
]


@pytest.mark.parametrize(("query", "verb"), WRITES)
def test_what_writes_is_refused_by_its_word(
    mirror: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str, verb: str
) -> None:
    import duckdb

    monkeypatch.chdir(tmp_path)
    before = set(tmp_path.iterdir())
    if query.startswith("with") and tuple(map(int, duckdb.__version__.split(".")[:1])) < (2,):
        pytest.skip("DuckDB before 2.0 has no COPY in a WITH")
    with pytest.raises(
        UsageFault, match=rf"sql only reads, and `{verb}` doesn't\. Nothing was run"
    ) as caught:
        bulk.sql(query, target=mirror)
    assert "--export FILE.duckdb" in str(caught.value)
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "query",
    [
        "select count(*) as n from customers", "from customers limit 1", "(select 1)", "values (1), (2)",
        "with a as (select id from customers) select * from a limit 2", "table customers",
        "pivot customers on currency using count(*)", "describe customers", "summarize customers",
        "show tables", "pragma table_info('customers')", "PRAGMA show_tables;",
        "explain select 1", "explain analyze select 1", "explain (select 1)", "select 1;",
        "-- copy\nselect 'copy (select 1) to x' as \"copy\"", 'select * from "checkout.sessions"',
        "select copy from (select 1 as copy)", "with x(copy) as (select 1) select * from x",
        "select 'enable_logging(' as t", "select 1 as enable_profile_too -- copy_database()",
        "select t.import_database from (select ')' as import_database) as t", "from query('select 1')",
        "select 'über' as \"größe\", id from customers limit 1",
    ],
)  # fmt: skip
def test_what_reads_is_run(mirror: Path, query: str) -> None:
    assert len(bulk.sql(query, target=mirror)) >= 1


def test_one_query_at_a_time(mirror: Path) -> None:
    with pytest.raises(UsageFault, match=r"sql takes one query, and these are 2\. Nothing was run"):
        bulk.sql("create view v as select 1; select * from v", target=mirror)
    for nothing in ("", ";", "-- only a note"):
        with pytest.raises(UsageFault, match="The query is empty"):
            bulk.sql(nothing, target=mirror)


def test_a_file_of_mine_can_be_read_beside_the_mirror(mirror: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("currency,rate\nusd,1\neur,2\n")
    rows = bulk.sql(f"select rate from '{tmp_path}/mine.csv' where currency = 'eur'", target=mirror)
    assert rows["rate"].tolist() == [2]
    with pytest.raises(UsageFault, match=r"The query can't be run: .*nothere\.csv") as caught:
        bulk.sql(f"select * from '{tmp_path}/nothere.csv'", target=mirror)
    assert "--repair" not in str(caught.value), "the mirror is sound"


def test_nothing_is_fetched_and_no_name_of_ours_is_a_table(mirror: Path) -> None:
    with pytest.raises(UsageFault, match="extension httpfs") as caught:
        bulk.sql("select * from 'https://example.com/x.parquet'", target=mirror)
    assert "files on this machine" in str(caught.value)
    assert "SET auto" not in str(caught.value)
    for name in ("lists", "values", "mirror"):
        with pytest.raises(UsageFault, match=f"Table with name {name} does not exist"):
            bulk.sql(f"select * from {name}", target=mirror)


def test_values_are_not_looked_into(mirror: Path) -> None:
    values: list[Any] = ["copy (select 1) to 'x'"]
    assert bulk.sql("select $1 as text", values=values, target=mirror)["text"].tolist() == values


def test_columns_of_one_name_are_all_there(mirror: Path) -> None:
    """A join has each list's `id`."""
    query = "select a.*, b.id, b.id as id_1 from customers a join customers b using (id) limit 2"
    rows = bulk.sql(query, target=mirror)
    assert [name for name in rows if name.startswith("id")] == ["id", "id_2", "id_1"]
    assert rows["id"].tolist() == rows["id_2"].tolist() == rows["id_1"].tolist()


def test_whole_numbers_have_no_bounds(mirror: Path) -> None:
    query = "select (2^62)::hugeint * n as big, (2 * n)::ubigint as small from (values (1), (10)) t(n)"
    rows = bulk.sql(query, target=mirror)
    assert rows["big"].tolist() == [2**62, 10 * 2**62]
    assert rows["small"].tolist() == [2, 20]
    assert rows["small"].dtype == "int64"
    assert bulk.sql("select 18446744073709551615::ubigint as n", target=mirror)["n"].tolist() == [2**64 - 1]
    with pytest.raises(UsageFault, match="The column day can't be shown in a frame"):
        bulk.sql("select date 'infinity' as day", target=mirror)
