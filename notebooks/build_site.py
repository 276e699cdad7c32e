"""The site, in one command: `pip install '.[plot,duckdb,excel]' mkdocs-material mkdocs-jupyter ipykernel &&
python notebooks/build_site.py`.

The guides are the notebooks beside this file, run on the sandbox; the reference is made from the same
declarations as help, completion and forms. `--pages` writes the pages and leaves mkdocs out.
"""

from __future__ import annotations

import ast
import inspect
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import stripe_magics as sm
from stripe_magics import catalogue, command_line, errors, finance, parsing, pipeline
from stripe_magics.magics import help_page, help_pages
from stripe_magics.magics.history import as_python
from stripe_magics.sandbox import coverage
from stripe_magics.sandbox.coverage import Coverage

HERE = Path(__file__).parent
DOCS = HERE.parent / "build" / "site" / "docs"


def cell(text: object) -> str:
    """A text as a table's cell."""
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A Markdown table."""
    lines = [list(head), ["---"] * len(list(head)), *([cell(each) for each in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def tabs(blocks: dict[str, tuple[str, str]]) -> str:
    """Blocks of code, one beside the other: title -> (language, text)."""
    out = []
    for title, (language, text) in blocks.items():
        body = "\n".join(f"    {line}" for line in ["", f"```{language}", *text.splitlines(), "```", ""])
        out.append(f'=== "{title}"\n{body}')
    return "\n".join(out)


def curl(command: Any) -> str:
    """The same call as curl sends it."""
    request = pipeline.prepare(command, connection=sm.current())
    words = ["curl", f"https://api.stripe.com{request.path}", "-u", '"$STRIPE_API_KEY:"']
    words += {"GET": ["-G"] if request.params else [], "POST": []}.get(request.method, ["-X", request.method])
    if request.method == "POST":
        words += ["-X", "POST"] if not request.params else []
    parts = [" ".join(words), *(f"-d {shlex.quote(f'{name}={value}')}" for name, value in request.params)]
    return " \\\n  ".join(parts)


def examples(name: str) -> str:
    """One call in four ways, made from the line that the help shows."""
    line = help_pages.example(catalogue.find(name))
    command = parsing.parse(line.removeprefix("%stripe ").strip(), None, {})
    return tabs(
        {
            "Line": ("text", line),
            "Cell": ("text", parsing.write_cell(command)),
            "Python": ("python", f"import stripe_magics as sm\n\n{as_python(command)}"),
            **({} if catalogue.find(name).handler else {"curl": ("bash", curl(command))}),
        }
    )


WIDE = "---\nhide:\n  - toc\n---\n\n"
"""Before a page of one wide table or text: it gets the width of the table of contents, too."""


def write(path: str, text: str) -> None:
    """One page."""
    target = DOCS / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text + "\n", encoding="utf-8")


def fields(page: help_page.HelpPage) -> Iterator[str]:
    """The sections of a help page, each with all of its rows, and every value of a choice."""
    for section in page.sections:
        if section.title:
            yield f"### {section.title}"
        yield table(section.head, ((f"`{row[0]}`", *map(_whole, row[1:])) for row in section.rows))


def _whole(each: help_page.Cell) -> str:
    return f"{each.about}: {', '.join(each.values)}" if isinstance(each, help_page.Listing) else each


def module_page(name: str) -> str:
    """All fields of a documented module, and its example."""
    page = help_pages.page(name)
    module = catalogue.find(name)
    parts = [
        f"# {page.title}",
        *(cell(each) for each in page.intro if each),
        examples(name),
        "## Fields",
        *fields(page),
        (
            f"It gives a DataFrame of `{module.returns}`: one row an object, amounts in the smallest unit,"
            " times in UTC."
        ),
        "## Form",
        f"`--form` on the line, or `sm.form({name!r})`.",
        f"![The form of {name.replace('.', ' ')}](../pictures/forms/{name}.png)",
    ]
    return "\n\n".join(parts)


def report_page() -> str:
    """All reports: what they say, their columns, formula and source."""
    parts = ["# Reports"]
    for name in finance.reports()["report"]:
        facts = finance.describe_report(name)
        said = facts.attrs["stripe"]
        period = "" if "no period" in set(facts["name"]) else " --month 2026-09"
        parts += [f"## {name}", cell(said["title"]), f"```text\n%stripe report {name}{period}\n```"]
        parts.append(table(facts.columns, facts.astype(str).itertuples(index=False)))
    return "\n\n".join(parts)


def resource_page(resource: str, names: list[str]) -> str:
    """The operations of a resource that are not documented by hand: request, parameters, an example."""
    parts = [f"# {resource.replace('_', ' ')}"]
    for name in names:
        module = catalogue.find(name)
        needed = [each for each in module.fields if each.required]
        words = " ".join(
            [name.replace(".", " "), *(f"--{each.name.replace('_', '-')} ..." for each in needed)]
        )
        parts += [
            f"## {name.replace('.', ' ')}",
            f"`{module.method} {module.path}` gives `{module.returns}`.",
        ]
        parts.append(f"```text\n%stripe {words}\n```")
        rows = [
            (f"`--{each.name.replace('_', '-')}`", each.kind.name.lower().replace("_", " "),
                "yes" if each.required else "",
             ", ".join(map(str, each.choices[:12])) + (" ..." if len(each.choices) > 12 else ""))
            for each in module.fields
        ]  # fmt: skip
        parts += [table(["field", "kind", "required", "choices"], rows)] if rows else []
    return "\n\n".join(parts)


class _Annotation(str):
    """An annotation that is shown without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def signature(value: Any) -> inspect.Signature:
    """As it stands in the source. (Annotations that aren't evaluated are texts.)"""
    found = inspect.signature(value)

    def bare(annotation: Any) -> Any:
        return _Annotation(annotation) if isinstance(annotation, str) else annotation

    parameters = [each.replace(annotation=bare(each.annotation)) for each in found.parameters.values()]
    return found.replace(parameters=parameters, return_annotation=bare(found.return_annotation))


def python_page() -> str:
    """The public Python interface, from its docstrings."""
    parts = [
        "# Python",
        (
            "`import stripe_magics as sm`: the names that scripts and loops use. Names, errors, frames and"
            " law are those of the magics."
        ),
    ]
    for name in sm.__all__:
        value = getattr(sm, name)
        if name.startswith("_") or (isinstance(value, type) and issubclass(value, BaseException)):
            continue  # errors have a page of their own
        if callable(value):
            parts += [f"## {name}", f"```python\nsm.{name}{signature(value)}\n```"]
        else:
            parts.append(f"## {name}")
        parts.append(f"```text\n{inspect.getdoc(value) or ''}\n```")
    return "\n\n".join(parts)


def coverage_page() -> str:
    """What the sandbox does for each operation."""
    rows = coverage.operations()
    played = sum(each.fidelity == "simulated" for each in rows)
    intro = (
        f"{played} of {len(rows)} operations behave as at Stripe (simulated); the others keep objects of the"
        " right shape, with the parameters that were given, and nothing happens to them by themselves (by"
        " shape)."
    )
    first = ("operation", "fidelity")  # wide tables are cut at the right
    head = (*first, *(each for each in Coverage._fields if each not in first))
    cells = ([getattr(each, name) for name in head] for each in rows)
    return WIDE + "\n\n".join(["# What the sandbox plays", intro, table(head, cells)])


def error_page() -> str:
    """The tree of errors, from the docstrings of their classes."""
    tree = ast.get_docstring(ast.parse(Path(errors.__file__).read_text(encoding="utf-8"))) or ""
    kinds = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, errors.StripeMagicsError)
    ]
    rows = [(f"`{each.__name__}`", (each.__doc__ or "").partition("\n")[0]) for each in kinds]
    return WIDE + "\n\n".join(["# Errors", f"```text\n{tree}\n```", table(["error", "means"], rows)])


def pages() -> None:
    """Write all pages."""
    shutil.rmtree(DOCS, ignore_errors=True)
    DOCS.mkdir(parents=True)
    for each in HERE.glob("*.ipynb"):
        # a link to another notebook is one to its page here
        write(each.name, each.read_text(encoding="utf-8").replace(".ipynb)", ".html)"))
    shutil.copytree(HERE / "pictures", DOCS / "pictures")
    readme = (HERE.parent / "README.md").read_text(encoding="utf-8")
    for begin in ("stripe_magics/ARCHITECTURE.md", ".github/CONTRIBUTING.md"):
        readme = readme.replace(f"[{begin}]({begin})", f"`{begin}`")
    for each in ("CHANGELOG.md", ".github/SECURITY.md"):
        target = f"{Path(each).stem.lower()}.md"
        shutil.copy(HERE.parent / each, DOCS / target)
        readme = readme.replace(f"]({each})", f"]({target})")
    write("index.md", readme.replace("(notebooks/pages/", "(").replace("(notebooks/", "("))
    names = [each.name for each in catalogue.documented()]
    for name in names:
        write(f"reference/{name}.md", module_page(name))
    rows = [
        (f"[{name.replace('.', ' ')}]({name}.md)", catalogue.find(name).title, catalogue.find(name).method)
        for name in names
    ]
    link_table = "\n".join(
        ["| command | what | |", "|---|---|---|", *(f"| {a} | {cell(b)} | {c} |" for a, b, c in rows)]
    )
    write("reference/commands.md", f"# Commands\n\n{link_table}")
    others = [catalogue.find(name) for name in sm.modules()["name"] if name not in set(names)]
    by_resource: dict[str, list[str]] = {}
    for each in others:
        by_resource.setdefault(each.name.rpartition(".")[0], []).append(each.name)
    for resource, operations in by_resource.items():
        write(f"reference/operations/{resource}.md", resource_page(resource, operations))
    lines = [
        f"| [{resource.replace('_', ' ')}](operations/{resource}.md) |"
        f" {', '.join(each.rpartition('.')[2] for each in operations)} |"
        for resource, operations in sorted(by_resource.items())
    ]
    write(
        "reference/operations.md",
        "\n".join(["# All other operations", "", "| resource | actions |", "|---|---|", *lines]),
    )
    write("reference/python.md", python_page())
    write("reference/sandbox.md", coverage_page())
    for each in sorted((HERE / "pages").iterdir()):
        if each.suffix == ".md":
            write(each.name, WIDE + each.read_text(encoding="utf-8"))
        else:
            shutil.copy(each, DOCS)
    write("reference/reports.md", report_page())
    write("reference/errors.md", error_page())
    usage = command_line.make_parser().format_help()
    write("reference/command_line.md", f"# Command line\n\n```text\n{usage}```")
    print(f"{len(list(DOCS.rglob('*.*')))} files in {DOCS}")


def main() -> int:
    """Pages, then mkdocs; its exit code."""
    for name in [each for each in os.environ if each.startswith("STRIPE")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory() as state:
        os.environ["STRIPE_MAGICS_STATE_DIR"] = state
        sm.connect(sandbox=True)
        pages()
        if "--pages" in sys.argv:
            return 0
        return subprocess.run(
            [sys.executable, "-m", "mkdocs", "build", "--strict", "-q", "-f", str(HERE / "mkdocs.yml")],
            check=False,
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
