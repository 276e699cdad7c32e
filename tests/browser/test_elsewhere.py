"""The same forms in Notebook 7 and in Voila."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from browser.conftest import SERVER, SET_UP, free_port, served, settled

pytestmark = pytest.mark.browser


def written(root: Path, *cells: str) -> Path:
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    code = [nbformat.v4.new_code_cell(each) for each in (SET_UP, *cells)]
    path = root / "form.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), path)
    return path


def test_notebook_7(context: Any, tmp_path: Path) -> None:
    written(tmp_path, "sm.form('customers.create')")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "notebook",
        *SERVER,
        "--allow-root",
        f"--port={port}",
        f"--ServerApp.root_dir={tmp_path}",
    ]
    command += ["--JupyterNotebookApp.expose_app_in_browser=True"]
    with served(command, tmp_path, f"http://127.0.0.1:{port}/api") as url:
        page = context.new_page()
        page.goto(url.removesuffix("/api") + "/notebooks/form.ipynb")
        page.wait_for_function("()=>window.jupyterapp?.restored")
        settled(
            page,
            """async () => { const app = window.jupyterapp; await app.restored;
            while (!app.shell.currentWidget?.sessionContext) await new Promise(r => setTimeout(r, 50));
            await app.shell.currentWidget.sessionContext.ready;
            app.commands.execute('notebook:run-all-cells'); }""",
        )
        created(page)
        page.close()


def test_voila(context: Any, tmp_path: Path) -> None:
    path = written(tmp_path, "sm.form('customers.create')")
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "voila",
        str(path),
        "--no-browser",
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
    ]
    with served(command, tmp_path, f"http://127.0.0.1:{port}/static/") as url:
        page = context.new_page()
        page.goto(url.removesuffix("/static/"))
        created(page)
        page.close()


def created(page: Any) -> None:
    """A customer is created by the form on the page."""
    page.get_by_label("Name", exact=True).fill("Jenny Elsewhere")
    page.get_by_label("Name", exact=True).press("Tab")
    page.get_by_text('%stripe customers create --name "Jenny Elsewhere"').wait_for()
    page.get_by_role("button", name="Create", exact=True).click()
    page.get_by_text("Create a Customer: done.").wait_for()
    page.get_by_role("cell", name="Jenny Elsewhere").wait_for()
