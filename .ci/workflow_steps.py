"""The workflows' `run:` steps on this machine, before GitHub runs them:
`python .ci/workflow_steps.py [JOB ...]`.

Each job gets what its steps ask for: a clean clone of HEAD (or an empty folder where nothing is checked out),
the Python that setup-python names, its matrix and environment filled in, and the artifacts of the jobs before
it. `gh` is a program that notes how it was called. `--list` names the steps, `facts/compare` or
`versions[lowest]` picks jobs. What only GitHub can do (its actions) is named and left out.
"""

from __future__ import annotations

import argparse
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TOP = Path(__file__).parents[1]
CONTEXT = {"github.token": "not-a-token", "github.repository": "OWNER/stripe_magics"}
LIMIT = 3600


@dataclass(frozen=True, slots=True)
class Job:
    """A job of a workflow with one choice of its matrix."""

    name: str
    needs: str
    steps: tuple[Mapping[str, Any], ...]
    matrix: Mapping[str, str]

    @property
    def title(self) -> str:
        """`ci/versions[lowest]`."""
        return self.name + (f"[{','.join(self.matrix.values())}]" if self.matrix else "")


def jobs(folder: Path = TOP / ".github" / "workflows") -> Iterator[Job]:
    """All jobs, one for each choice of their matrix, in the order of the files."""
    for file in sorted(folder.glob("*.yml")):
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items():
            matrix = job.get("strategy", {}).get("matrix", {})
            for chosen in itertools.product(*matrix.values()):
                values = dict(zip(matrix, map(str, chosen), strict=True))
                needs = f"{file.stem}/{job['needs']}" if "needs" in job else ""
                yield Job(f"{file.stem}/{name}", needs, tuple(job["steps"]), values)


def filled(text: str, job: Job, workspace: Path) -> str:
    """A text with its expressions in place. Raises `KeyError` for one that isn't known here."""
    known = {**CONTEXT, "github.workspace": str(workspace)}
    known |= {f"matrix.{name}": value for name, value in job.matrix.items()}
    return re.sub(r"\$\{\{\s*([\w.-]+)\s*\}\}", lambda match: known[match[1]], str(text))


def interpreter(version: str) -> Path | None:
    """The executable of that Python; None if this machine has none."""
    found = shutil.which(f"python{version}")
    if found is None:
        return None
    asked = [found, "-c", "import sys; print(sys.executable)"]
    said = subprocess.run(asked, capture_output=True, text=True, timeout=60, check=False)
    return Path(said.stdout.strip()) if said.returncode == 0 else None


class Runner:
    """One job after the other; what they upload is kept for those that download it."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.failed: set[str] = set()

    def run(self, job: Job) -> None:
        """The job's steps in order, up to the first that fails."""
        if job.needs in self.failed:
            print(f"not run      {job.title}: it needs {job.needs}", flush=True)
            self.failed.add(job.name)
            return
        workspace = self.work / re.sub(r"\W+", "-", job.title)
        programs = workspace.with_suffix(".bin")
        for each in (workspace, programs):
            each.mkdir()
        gh = programs / "gh"
        gh.write_text(f'#!/bin/sh\nprintf "%s\\n" "gh $*" >> "{programs}/gh.log"\necho 0\n')
        gh.chmod(0o755)
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        env = {**os.environ, "PATH": path, "GITHUB_REF_NAME": f"v{self.version()}", "CI": "true"}
        for step in job.steps:
            began = time.monotonic()
            code = self.step(job, step, workspace, programs, env)
            text = " ".join(str(step.get("run") or step.get("uses")).split())[:100]
            what = {None: "GitHub's", 0: "ok"}.get(code, f"FAILED ({code})")
            print(f"{what:12} {job.title}: {text}  {time.monotonic() - began:.0f} s", flush=True)
            if code:
                self.failed.add(job.name)
                return

    @staticmethod
    def version() -> str:
        """The version that a tag would have."""
        return re.findall(
            r'__version__ = "(.+)"', (TOP / "stripe_magics" / "_version.py").read_text(encoding="utf-8")
        )[0]

    def step(
        self, job: Job, step: Mapping[str, Any], workspace: Path, programs: Path, env: Mapping[str, str]
    ) -> int | None:
        """The step's exit code; None for what GitHub alone does."""
        options = {name: filled(text, job, workspace) for name, text in step.get("with", {}).items()}
        if "run" in step:
            own = {name: filled(text, job, workspace) for name, text in step.get("env", {}).items()}
            command = ["bash", "-eo", "pipefail", "-c", filled(step["run"], job, workspace)]
            with (programs / "log.txt").open("ab") as log:
                ended = subprocess.run(
                    command, cwd=workspace, env={**env, **own}, stdin=subprocess.DEVNULL, stdout=log,
                    stderr=subprocess.STDOUT, timeout=LIMIT, check=False,
                )  # fmt: skip
            return ended.returncode
        action = step["uses"].rpartition("/")[2].partition("@")[0]
        if action == "checkout":
            git = shutil.which("git") or "git"
            return subprocess.run([git, "clone", "-q", str(TOP), str(workspace)], check=False).returncode
        if action == "setup-python":
            found = interpreter(options["python-version"])
            for name in ("python", "python3") if found else ():
                (programs / name).symlink_to(str(found))
            return 0 if found else 1
        if action == "upload-artifact" and "if" not in step:
            for each in options["path"].split():
                source, kept = workspace / each, self.work / "artifacts" / options["name"] / each
                copy = shutil.copytree if source.is_dir() else shutil.copy2
                kept.parent.mkdir(parents=True, exist_ok=True)
                copy(source, kept)
            return 0
        if action == "download-artifact":
            shutil.copytree(self.work / "artifacts" / options["name"], workspace, dirs_exist_ok=True)
            return 0
        if action == "upload-pages-artifact":
            return 0 if (workspace / options["path"] / "index.html").is_file() else 1
        return None


def main() -> int:
    """Run the jobs that are named, all without names; how many failed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "jobs", nargs="*", metavar="JOB", help="a part of its title: release, versions[lowest]"
    )
    parser.add_argument("--list", action="store_true", help="the steps, unrun")
    given = parser.parse_args()
    chosen = [each for each in jobs() if not given.jobs or any(words in each.title for words in given.jobs)]
    if given.list:
        for job in chosen:
            for step in job.steps:
                print(f"{job.title}: {' '.join(str(step.get('run') or step.get('uses')).split())}")
        return 0
    work = Path(tempfile.mkdtemp(prefix="workflows-"))
    print(f"Logs, and how gh was called: {work}/*.bin", flush=True)
    runner = Runner(work)
    for job in chosen:
        runner.run(job)
    return len(runner.failed)


if __name__ == "__main__":
    sys.exit(main())
