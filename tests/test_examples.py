"""Every example in a docstring and every block of README runs on the sandbox."""

from __future__ import annotations

import doctest
import importlib
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import stripe_magics as sm
from stripe_magics import command_line, pytest_plugin
from stripe_magics.magics.magic import StripeMagics

served_account = pytest_plugin.stripe_sandbox  # the fixture that README shows, installed or not
ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
WITH_EXAMPLES = sorted(
    ".".join(each.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for each in (ROOT / "stripe_magics").rglob("*.py")
    if ">>> " in each.read_text(encoding="utf-8")
)
ACCOUNTS = "extends: skr03\nsettings: {consultant: 4711, client: 815}\n"
ANYTHING = "(an answer that the docstring doesn't show)\n"


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The demo account, a folder to write into, and no key anywhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    sm.connect(sandbox=True)
    yield tmp_path
    sm.close()


class AnswerChecker(doctest.OutputChecker):
    """doctest's, and any answer where none is shown."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return want == ANYTHING or super().check_output(want, got, optionflags)


def test_docstrings(sandbox: Path) -> None:
    """What is marked SKIP shows no answer (it writes a file, or a table is too wide): it runs all the
    same."""
    (sandbox / "accounts.yaml").write_text(ACCOUNTS)
    sm.sync("stripe-mirror", "customers", "refunds", quiet=True)
    payments = sm.call("charges.list", limit=20)
    sessions = sm.call("checkout.sessions.create", mode="setup", success_url="https://example.com")
    runner, report = doctest.DocTestRunner(AnswerChecker(), verbose=False), io.StringIO()
    for name in WITH_EXAMPLES:
        found = [
            each for each in doctest.DocTestFinder().find(importlib.import_module(name)) if each.examples
        ]
        assert found, name
        for test in found:
            test.globs |= {"sm": sm, "pd": pd, "payments": payments.copy(), "sessions": sessions}
            for example in test.examples:
                if example.options.pop(doctest.SKIP, False):
                    example.want = ANYTHING
            runner.run(test, out=report.write)
    assert not runner.failures, report.getvalue()
    assert runner.tries > 25


@pytest.fixture
def shell(sandbox: Path) -> Iterator[InteractiveShell]:
    made = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    yield made
    made.run_line_magic("unload_ext", "stripe_magics")


def blocks(language: str) -> list[str]:
    """README's blocks of code in that language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def on_the_sandbox(text: str) -> str:
    """An example as it is, but for the account that it names: here is no key."""
    text = re.sub(r"(?<=%stripe connect)(?= +#| --env STRIPE_API_KEY)", " --sandbox", text)
    text = text.replace(" --sandbox --env STRIPE_API_KEY", " --sandbox").replace(
        "--env STRIPE_API_KEY", "--sandbox"
    )
    return text.replace('env="STRIPE_API_KEY"', "sandbox=True")


def test_readme_in_python(shell: InteractiveShell) -> None:
    ran = 0
    for block in blocks("python"):
        if "def test_" not in block:  # that one is below
            result = shell.run_cell(on_the_sandbox(block))
            result.raise_error()
            ran += 1
    assert ran == 3


def test_readme_in_pytest(served_account: pytest_plugin.StripeSandbox) -> None:
    pytest.importorskip("stripe", reason="in the extra test only")
    block = next(each for each in blocks("python") if "def test_" in each)
    names: dict[str, Any] = {}
    exec(block, names)
    names["test_checkout"](served_account)


def test_readme_in_a_terminal(sandbox: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Each `python -m stripe_magics` line, through the program's own arguments."""
    lines = [each for block in blocks("bash") for each in block.splitlines() if "-m stripe_magics " in each]
    assert len(lines) == 3
    for line in lines:
        command = on_the_sandbox(line.partition("#")[0].partition(">")[0])
        code = command_line.main(shlex.split(command)[3:])
        said = capfd.readouterr()
        assert code == command_line.DONE, (line, said.err)
        assert said.out or (sandbox / "september.xlsx").exists(), line


NOT_A_LINE = re.compile(r"\.\.\.|\bN\b|\bdf\b|cus_123|FOLDER")
"""Text that names something of the reader's."""
RUN_ELSEWHERE = ("events watch", "close ")
"""One goes on until it is stopped (tests/events), one is a docstring's example, above."""


def test_lines_in_the_text(shell: InteractiveShell) -> None:
    """`%stripe ...` in README's text and in the magic's own help; of a lone word its help."""
    lines = re.findall(r"`%stripe ([^`]+)`", README)
    lines += [
        each.split("  ")[0] for each in re.findall(r"(?<!%)%stripe (.+)", StripeMagics.stripe.__doc__ or "")
    ]
    lines = [each for each in dict.fromkeys(lines) if not NOT_A_LINE.search(each)]
    assert len(lines) > 15
    shell.run_line_magic("load_ext", "stripe_magics")
    shell.run_line_magic("stripe", "connect --sandbox")
    for line in lines:
        if not line.startswith(RUN_ELSEWHERE):
            shell.run_cell(f"%stripe {line if ' ' in line else f'{line} --help'}").raise_error()
