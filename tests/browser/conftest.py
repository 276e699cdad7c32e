"""Forms in a real JupyterLab: one server, one Chromium, one page for all tests; each test opens a notebook of
its own in it.

Where there is no Chromium the tests are skipped with the reason; on a build machine (CI is set) that is a
failure.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import nbformat
import psutil
import pytest
from waiting import PATIENCE, running

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
LONGEST = 3600.0
"""Seconds that a server may run."""
SET_UP = "import stripe_magics as sm; sandbox = sm.connect(sandbox=True)"


@pytest.fixture(scope="session", autouse=True)
def needs_chromium() -> None:
    if CHROMIUM.exists():
        return
    reason = f"{CHROMIUM} is missing: apt-get install chromium"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def environment(root: Path) -> dict[str, str]:
    """A home of its own for Jupyter and for stripe_magics; no key from outside."""
    names = (
        "JUPYTER_CONFIG_DIR",
        "JUPYTER_DATA_DIR",
        "JUPYTER_RUNTIME_DIR",
        "IPYTHONDIR",
        "JUPYTERLAB_SETTINGS_DIR",
        "JUPYTERLAB_WORKSPACES_DIR",
        "STRIPE_MAGICS_STATE_DIR",
    )
    kept = {name: value for name, value in os.environ.items() if name != "STRIPE_API_KEY"}
    repository = str(Path(__file__).parents[2])
    return {
        **kept,
        **{name: str(root / name.lower()) for name in names},
        "PYTHONPATH": repository,
        "JUPYTER_PLATFORM_DIRS": "1",
    }


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: list[str], root: Path, url: str) -> Iterator[str]:
    """Run a server."""
    with (
        (root / "server.log").open("w") as log,
        running(
            command, seconds=LONGEST, env=environment(root), cwd=root, stdout=log, stderr=subprocess.STDOUT
        ) as process,
    ):
        until = time.monotonic() + 2 * PATIENCE
        while not answers(url):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((root / "server.log").read_text()[-2000:])
            time.sleep(0.25)
        try:
            yield url
        finally:
            process.terminate()  # it ends its kernels
            process.wait(PATIENCE)


def answers(url: str) -> bool:
    """Whether there is a server, whatever it says."""
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except HTTPError:
        return True
    except OSError:
        return False
    return True


SERVER = [
    "--no-browser",
    "--ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
    "--ServerApp.disable_check_xsrf=True",
]


@pytest.fixture(scope="session")
def lab(needs_chromium: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """JupyterLab's address and its folder. It saves widget state, the setting under which forms could leak
    most."""
    root = tmp_path_factory.mktemp("lab")
    settings = root / "jupyterlab_settings_dir" / "@jupyter-widgets" / "jupyterlab-manager"
    settings.mkdir(parents=True)
    (settings / "plugin.jupyterlab-settings").write_text('{"saveState": true}')
    quiet = root / "jupyterlab_settings_dir" / "@jupyterlab" / "apputils-extension"
    quiet.mkdir(parents=True)
    (quiet / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}'
    )
    # Lab opens its launcher some time after the last notebook was closed, in front of the one that the next
    # test opens
    page = root / "jupyter_config_dir" / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True)
    page.write_text('{"disabledExtensions": {"@jupyterlab/launcher-extension": true}}')
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        *SERVER,
        "--allow-root",
        f"--port={port}",
        "--LabApp.expose_app_in_browser=True",
    ]
    with served([*command, f"--ServerApp.root_dir={root}"], root, f"http://127.0.0.1:{port}/api") as url:
        yield url.removesuffix("/api"), root


@pytest.fixture(scope="module")
def chromium(needs_chromium: None) -> Iterator[Any]:
    """A browser a file: while it is open, playwright's event loop runs in this thread, and no test beside the
    browser's could run one of its own."""
    from playwright.sync_api import sync_playwright

    with ExitStack() as stack:
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS, headless=True)
        yield browser
        with bounded(2 * PATIENCE):
            browser.close()
            stack.close()


@contextmanager
def bounded(seconds: float) -> Iterator[None]:
    """The browser is ended if this takes longer. Playwright waits without end for a page that computes for
    ever or a browser that no longer answers, and the stack that faulthandler shows isn't the test's then."""

    def end() -> None:
        for each in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):
                if each.name().startswith(("chrom", "node")):
                    each.kill()

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


@pytest.fixture(autouse=True)
def bounded_test() -> Iterator[None]:
    """A test that the browser doesn't let end fails where it waits."""
    with bounded(4 * PATIENCE):
        yield


@pytest.fixture(scope="module")
def context(chromium: Any) -> Any:
    """One context: JupyterLab's scripts stay cached."""
    context = chromium.new_context(viewport={"width": 1300, "height": 1100})
    context.set_default_timeout(60_000)
    return context


@pytest.fixture(scope="module")
def lab_page(lab: tuple[str, Path], context: Any) -> Any:
    """The one page of a file's tests."""
    page = context.new_page()
    show_lab(page, lab[0])
    return page


def show_lab(page: Any, url: str) -> None:
    page.goto(f"{url}/lab?reset")
    page.wait_for_function("()=>window.jupyterapp?.restored")
    settled(page, "() => window.jupyterapp.restored.then(() => true)")


CAPPED = """async (given) => {{
  const late = (say) => setTimeout(() => say(new Error("no end within {seconds:g} s")), {seconds:g} * 1000);
  return await Promise.race([({script})(given), new Promise((_, say) => late(say))]);
}}"""


def settled(page: Any, script: str, given: Any = None, *, seconds: float = PATIENCE) -> Any:
    """What an asynchronous function of the page gives. Playwright's own `evaluate` waits for ever for it."""
    return page.evaluate(CAPPED.format(script=script, seconds=seconds), given)


OPEN = """async (path) => {
  const app = window.jupyterapp;
  const w = await app.commands.execute('docmanager:open', {path, factory: 'Notebook'});
  window.__nb = w;
  await w.context.ready; await w.sessionContext.ready;
  while (w.sessionContext.session?.kernel?.status !== 'idle') await new Promise(r => setTimeout(r, 20));
  app.shell.activateById(w.id);
}"""

RUN_ALL = """async () => {
  const app = window.jupyterapp, w = window.__nb, command = 'notebook:run-all-cells';
  // the command runs the notebook that Lab holds for the current one, which becomes this one some time
  // after its activation
  while (app.shell.currentWidget !== w || !app.commands.isEnabled(command)) {
    app.shell.activateById(w.id);
    await new Promise(r => setTimeout(r, 20));
  }
  await app.commands.execute(command);
  const cells = w.content.widgets.filter(each => each.model.type === 'code');
  return cells.filter(each => each.model.executionCount === null).length;
}"""

CLOSE = """async () => {
  const w = window.__nb;
  await w.context.save();
  await w.sessionContext.shutdown();
  for (const each of [...window.jupyterapp.shell.widgets('main')]) each.dispose();
}"""


class Notebook:
    """A notebook that is open in the page."""

    def __init__(self, page: Any, root: Path, name: str) -> None:
        self.page, self.root, self.name = page, root, name
        self.out = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) .jp-OutputArea-output")

    @property
    def file(self) -> Path:
        return self.root / self.name

    def run_all(self) -> None:
        assert settled(self.page, RUN_ALL, seconds=2 * PATIENCE) == 0, (
            f"cells that did not run: {self.state()}"
        )

    def state(self) -> str:
        """What the notebook holds, for a failure's message."""
        return str(self.page.evaluate(STATE))

    def save(self) -> dict[str, Any]:
        """Save it and give what is in the file."""
        settled(self.page, "() => window.__nb.context.save()")
        return dict(nbformat.read(self.file, as_version=4))

    def field(self, label: str) -> Any:
        return self.out.get_by_label(label, exact=True)

    def enter(self, label: str, value: str) -> None:
        self.field(label).first.fill(value)
        self.field(label).first.press("Tab")

    def press(self, name: str) -> None:
        self.out.get_by_role("button", name=name, exact=True).first.click()

    def sees(self, text: str) -> None:
        """Wait until the text is on screen."""
        self.out.get_by_text(text).first.wait_for()

    def python(self, code: str) -> str:
        """Run code in the notebook's kernel and give what it printed."""
        return str(settled(self.page, RUN, code))


STATE = """() => JSON.stringify([window.__nb.sessionContext.session?.kernel?.status,
  ...window.__nb.content.widgets.map(each => [
    each.model.sharedModel.source, each.model.executionCount, each.outputArea?.node.innerText])])"""

RUN = """async (code) => {
  const kernel = window.__nb.sessionContext.session.kernel;
  const future = kernel.requestExecute({code, store_history: false});
  let text = '';
  future.onIOPub = (m) => {
    if (m.header.msg_type === 'stream') text += m.content.text;
    if (m.header.msg_type === 'error') text += m.content.ename + ': ' + m.content.evalue;
  };
  await future.done;
  return text.trim();
}"""


FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report


@pytest.fixture
def notebook(lab: tuple[str, Path], lab_page: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    """Opens a notebook with the given cells (after one that connects to the sandbox) and runs it."""
    name = f"{request.node.name.replace('[', '-').replace(']', '')}.ipynb"

    def open_(*cells: str, connect: bool = True) -> Notebook:
        code = [nbformat.v4.new_code_cell(each) for each in ((SET_UP, *cells) if connect else cells)]
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
        nbformat.write(nbformat.v4.new_notebook(cells=code, metadata=kernel), lab[1] / name)
        settled(lab_page, OPEN, name)
        opened = Notebook(lab_page, lab[1], name)
        opened.run_all()
        return opened

    yield open_
    if request.node.stash.get(FAILED, False):
        print(lab_page.evaluate(STATE))  # what a person would look at; pytest shows it with the failure
    if os.environ.get("SM_SHOTS"):
        lab_page.screenshot(path=f"{os.environ['SM_SHOTS']}/{request.node.name}.png")
    settled(lab_page, CLOSE)
