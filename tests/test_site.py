"""The site's pages: one for every command, links that lead somewhere, examples that can be read, rows whose
tests exist."""

from __future__ import annotations

import ast
import importlib.util
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import yaml

import stripe_magics as sm
from stripe_magics import catalogue, finance, parsing

ROOT = Path(__file__).parents[1]
_LINK = re.compile(r"\[[^\]\n]*\]\(([^)\s]+)\)")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The pages, written into a folder of the test's own."""
    spec = importlib.util.spec_from_file_location("build_site", ROOT / "notebooks" / "build_site.py")
    assert spec is not None
    assert spec.loader is not None
    builder: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(builder)
    folder = tmp_path_factory.mktemp("site") / "docs"
    builder.DOCS = folder
    sm.connect(sandbox=True)
    builder.pages()
    yield folder
    sm.close()


def test_every_command_has_a_page(site: Path) -> None:
    documented = {each.name for each in catalogue.documented()}
    assert all((site / "reference" / f"{name}.md").exists() for name in documented)
    text = "".join(each.read_text() for each in (site / "reference" / "operations").glob("*.md"))
    others = [name for name in sm.modules()["name"] if name not in documented]
    missing = [name for name in others if f"## {name.replace('.', ' ')}\n" not in text]
    assert len(others) > 500
    assert not missing


def test_links_inside_lead_somewhere(site: Path) -> None:
    broken = [
        f"{page.relative_to(site)}: {target}"
        for page in (*site.rglob("*.md"), *site.glob("*.ipynb"))
        for target in _LINK.findall(page.read_text())
        if "://" not in target and not target.startswith(("#", "mailto:"))
        if not any(
            (page.parent / target.partition("#")[0].replace(".html", ending)).exists()
            for ending in (".md", ".ipynb")
        )
    ]
    broken += [
        f"{page.name}: {target}, where a notebook is opened from its folder"
        for page in (ROOT / "notebooks").glob("*.ipynb")
        for target in _LINK.findall(page.read_text(encoding="utf-8"))
        if "://" not in target and not (page.parent / target).exists()
    ]
    broken += [page.name for page in site.glob("*.ipynb") if ".ipynb)" in page.read_text(encoding="utf-8")]
    assert not broken
    nav = yaml.safe_load((ROOT / "notebooks" / "mkdocs.yml").read_text())["nav"]
    named = [
        each for entry in nav for each in ([entry] if isinstance(entry, str) else next(iter(entry.values())))
    ]
    assert all((site / each).exists() for each in named), named
    guides = {each.name for each in (ROOT / "notebooks").glob("*.ipynb")}
    assert guides <= set(named), "every guide is in the navigation"
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert not [each for each in guides if f"(notebooks/{each})" not in readme], "and in README"


def test_examples_of_every_page_can_be_read(site: Path) -> None:
    """The lines themselves run on the sandbox in tests/magics/test_help_pages.py."""
    for name in (each.name for each in catalogue.documented()):
        text = (site / "reference" / f"{name}.md").read_text()
        assert f"(../pictures/forms/{name}.png)" in text, "that the file exists, the test of links says"
        blocks = dict(re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL))
        ast.parse("\n".join(line.removeprefix("    ") for line in blocks["python"].splitlines()))
        line = re.search(r"%stripe ([^\n]+)", blocks["text"])
        assert line is not None, name
        assert parsing.parse(line[1], None, {}).module == name


def test_every_report_is_written_with_the_period_that_it_takes(site: Path) -> None:
    text = (site / "reference" / "reports.md").read_text()
    lines = dict(re.findall(r"%stripe report (\w+)( --month \S+)?", text))
    assert set(lines) == set(finance.reports()["report"])
    for name, month in lines.items():
        assert bool(month) != ("no period" in set(finance.describe_report(name)["name"])), name


def test_the_python_page_has_every_public_function(site: Path) -> None:
    text = (site / "reference" / "python.md").read_text()
    for name in ("call", "connect", "form", "watch", "on", "pull", "report", "sync", "sql", "close_month"):
        assert f"## {name}\n" in text
    assert "```text\nNone\n```" not in text, "each has a docstring"
    assert "sm.report(name: str" in text, "annotations stand there as in the source"


def test_what_works_where_names_tests_that_exist(site: Path) -> None:
    rows = [
        each
        for each in (site / "where.md").read_text().splitlines()
        if each.startswith("| ") and "Place" not in each
    ]
    assert len(rows) >= 11
    for row in rows:
        named = re.findall(r"`((?:tests|\.ci)/[^`\s]+)`", row)
        assert named, row
        for each in named:
            path, _, test = each.partition("::")
            assert (ROOT / path).exists(), each
            assert not test or f"def {test}(" in (ROOT / path).read_text(), each


def test_benchmarks_name_commands_that_exist(site: Path) -> None:
    named = re.findall(r"python (tests/benchmarks/\w+\.py)", (site / "benchmarks.md").read_text())
    assert named
    for path in named:
        assert (ROOT / path).exists(), path
