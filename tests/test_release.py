"""A release in one command: what stops it, and what it leaves."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small repository that builds: a package of our name, its CHANGELOG, main."""
    package = tmp_path / "stripe_magics"
    (package / "catalogue" / "generated").mkdir(parents=True)
    (package / "_version.py").write_text('__version__ = "0.3.0"\n')
    for name in ("__init__.py", "__main__.py", "py.typed", "catalogue/generated/__init__.py"):
        (package / name).write_text("")
    for name in ("README.md", "LICENSE"):
        (tmp_path / name).write_text("A project that is only here to be built.\n")
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 0.4.0\n\nAlerts come by e-mail and to webhooks.\n\n## 0.3.0\n\nOld.\n"
    )
    (tmp_path / ".gitignore").write_text("dist\n")
    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n[project]\nname ='
        ' "stripe_magics"\ndynamic = ["version"]\ndescription = "x"\nreadme = "README.md"\nlicense = { file ='
        ' "LICENSE" }\n\n[tool.hatch.version]\npath = "stripe_magics/_version.py"\n'
    )
    git(tmp_path, "init", "-q", "-b", "main")
    commit(tmp_path)
    return tmp_path


def git(project: Path, *words: str) -> str:
    who = ("-c", "user.name=Release", "-c", "user.email=release@example.com")
    return subprocess.run(
        ["git", *who, *words], cwd=project, check=True, capture_output=True, text=True, timeout=60
    ).stdout


def commit(project: Path) -> None:
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "A state")


def release(project: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        str(ROOT / ".ci" / "release.py"),
        *words,
        "--root",
        str(project),
        "--unchecked",
    ]
    who = {
        f"GIT_{role}_{what}": value
        for role in ("AUTHOR", "COMMITTER")
        for what, value in (("NAME", "R"), ("EMAIL", "r@example.com"))
    }
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **who}
    )


def test_what_stops_a_release(project: Path) -> None:
    assert "not newer than 0.3.0" in release(project, "0.2.9").stdout
    assert "no entry '## 0.5.0'" in release(project, "0.5.0").stdout
    assert "is not a version" in release(project, "next").stdout
    (project / "README.md").write_text("changed")
    assert "aren't committed" in release(project, "0.4.0").stdout
    git(project, "checkout", "-q", "-b", "other")
    done = release(project, "0.4.0")
    assert "made from main" in done.stdout
    assert done.returncode == 1
    assert "0.3.0" in (project / "stripe_magics" / "_version.py").read_text(), "nothing was changed"


def test_a_dry_run_changes_nothing(project: Path) -> None:
    assert release(project, "0.4.0", "--dry-run").returncode == 0
    assert git(project, "tag") == ""
    assert git(project, "status", "--porcelain") == ""


def test_a_failing_build_leaves_everything_as_it_was(project: Path) -> None:
    (project / "pyproject.toml").write_text("[[project\n")
    commit(project)
    done = release(project, "0.4.0")
    assert done.returncode == 1, done.stdout + done.stderr
    assert git(project, "tag") == ""
    assert git(project, "status", "--porcelain") == ""


def test_notes_are_those_of_the_tree(project: Path) -> None:
    done = release(project, "0.3.0", "--notes")
    assert (done.returncode, done.stdout.strip()) == (0, "Old.")
    other = release(project, "0.4.0", "--notes")
    assert (other.returncode, other.stdout) == (1, "")
    assert "the tree is 0.3.0, asked for was 0.4.0" in other.stderr


README = """# A project

[![CI](pictures/ci.png)](.github/CONTRIBUTING.md) [guide](./notebooks/a.ipynb#one) ![story](pictures/tour.gif)
[there](https://example.com/x) [mail](mailto:a@example.com) [below](#below)
"""


@pytest.mark.parametrize("address", ["", "https://github.com/someone/stripe_magics/"])
def test_readme_leads_somewhere_from_a_package_index(project: Path, address: str) -> None:
    """With the repository's address every link and picture is absolute, at the version's tag; without one it
    is built all the same, and not published."""
    hook = ".ci/package_readme.py"
    (project / ".ci").mkdir(exist_ok=True)
    shutil.copy(ROOT / hook, project / hook)
    (project / "README.md").write_text(README)
    settings = (project / "pyproject.toml").read_text()
    settings = settings.replace('dynamic = ["version"]', 'dynamic = ["version", "readme"]')
    settings = settings.replace('readme = "README.md"\n', "")
    urls = f'Repository = "{address}"' if address else ""
    settings += f'\n[tool.hatch.metadata.hooks.custom]\npath = "{hook}"\n\n[project.urls]\n{urls}\n'
    (project / "pyproject.toml").write_text(settings)
    packed = project / "stripe_magics" / "sandbox" / "demo_data" / "account.packed"
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"")

    built = run("-m", "build", "-q", "--no-isolation", "--outdir", "dist", ".", cwd=project)
    assert built.returncode == 0, built.stdout + built.stderr
    files = [str(each) for each in sorted((project / "dist").iterdir())]
    assert len(files) == 2
    (wheel,) = (zipfile.ZipFile(each) for each in files if each.endswith(".whl"))
    (name,) = (each for each in wheel.namelist() if each.endswith("METADATA"))
    text = wheel.read(name).decode()
    contents = str(ROOT / ".ci" / "wheel_contents.py")
    assert run(contents, *files).returncode == 0
    published = run(contents, "--published", *files)
    for same in ("(https://example.com/x)", "(mailto:a@example.com)", "(#below)"):
        assert same in text
    if not address:
        assert published.returncode == 1
        assert "Set Repository in [project.urls]" in published.stdout
        assert "![story](pictures/tour.gif)" in text
        return
    assert published.returncode == 0, published.stdout
    place = "https://github.com/someone/stripe_magics"
    assert f"[![CI]({place}/raw/v0.3.0/pictures/ci.png)]({place}/blob/v0.3.0/.github/CONTRIBUTING.md)" in text
    assert f"[guide]({place}/blob/v0.3.0/notebooks/a.ipynb#one)" in text
    assert f"![story]({place}/raw/v0.3.0/pictures/tour.gif)" in text


def run(*words: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=60)


def test_what_an_index_shows_of_the_package() -> None:
    """The Pythons are those that the workflow runs."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    said = {each.rpartition(" ")[2] for each in project["classifiers"] if re.search(r":: 3\.\d+$", each)}
    jobs = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))["jobs"]
    run = {*jobs["pythons"]["strategy"]["matrix"]["python"], "3.11"}
    assert said == run
    assert project["requires-python"] == ">=3.11"
    assert project["license"] == "MIT"
    assert (ROOT / "LICENSE").read_text(encoding="utf-8").startswith("MIT License")


def test_workflows_are_tight() -> None:
    """Actions by their hash, rights by the job that needs them, no login left in the checkout, a limit of
    time, and no text of GitHub's pasted into a shell."""
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] == {"contents": "read"}, path.name
        assert "concurrency" in workflow, path.name
        for name, job in workflow["jobs"].items():
            assert job["timeout-minutes"] <= 90, f"{path.name}: {name}"
            for step in job["steps"]:
                uses = step.get("uses", "")
                assert not uses or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", uses), f"{path.name}: {uses}"
                assert "${{" not in step.get("run", ""), f"{path.name}: {step}"
                if uses.startswith("actions/checkout@"):
                    assert step["with"]["persist-credentials"] is False, f"{path.name}: {name}"
                if {"contents", "id-token"} & {
                    k for k, v in job.get("permissions", {}).items() if v == "write"
                }:
                    assert "checkout" not in uses, (
                        f"{path.name}: {name} may write, so it runs nothing of ours"
                    )


def test_workflows_call_what_exists() -> None:
    """Each workflow is YAML with jobs, and every script of ours that a step, or a script of .ci, runs is
    there; those run by name are executable."""
    called: set[str] = set()
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
            for step in job["steps"]:
                assert ("run" in step) != ("uses" in step), f"{path.name}: {step}"
                called |= set(scripts(step.get("run", "")))
    for path in (ROOT / ".ci").iterdir():
        if path.suffix == "":
            called |= set(scripts(path.read_text(encoding="utf-8")))
    assert {".ci/run", ".ci/wheel", ".ci/versions", ".ci/node", "notebooks/build_site.py"} <= called
    for each in sorted(called):
        assert (ROOT / each).exists(), each
        assert "." in Path(each).name or os.access(ROOT / each, os.X_OK), f"{each} can't be executed"


def scripts(text: str) -> list[str]:
    """Files of the repository that a shell text names outside of its comments."""
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    return re.findall(r"(?<![\w./-])((?:\.ci|tests|notebooks)/[\w/-]+(?:\.\w+)?)", code)


def test_each_step_of_the_workflows_can_be_filled_in(tmp_path: Path) -> None:
    """`.ci/workflow_steps.py` runs them here: it knows every expression, and a job gets each choice of its
    matrix."""
    path = ROOT / ".ci" / "workflow_steps.py"
    spec = importlib.util.spec_from_file_location("workflow_steps", path)
    assert spec is not None
    assert spec.loader is not None
    steps = importlib.util.module_from_spec(spec)
    sys.modules["workflow_steps"] = steps
    spec.loader.exec_module(steps)
    found = list(steps.jobs())
    titles = {job.title for job in found}
    assert {"ci/pythons[3.13]", "ci/versions[lowest]", "release/announce", "site/build"} <= titles
    for job in found:
        for step in job.steps:
            for text in (step.get("run", ""), *step.get("env", {}).values(), *step.get("with", {}).values()):
                assert "${{" not in steps.filled(text, job, tmp_path)
