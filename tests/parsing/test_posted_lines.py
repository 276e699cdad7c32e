"""Posted lines mean here what they mean in a shell: each curl line is run in bash against a local server, and
must match what we would send."""

from __future__ import annotations

import email.parser
import os
import re
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from waiting import joined

from stripe_magics import pipeline
from stripe_magics.errors import StripeMagicsError, UsageFault
from stripe_magics.parsing import parse

from .posted_lines import API, CLI, CURL, FILES, KEY, VARIABLES
from .test_curl_and_cli import LINES

Sent = tuple[str, str, dict[str, str]]


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for api.stripe.com that nobody trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "api.stripe.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class Echo:
    """A server that remembers what it was sent."""

    def __init__(self, certificate: Path, home: Path) -> None:
        self.requests: list[Sent] = []
        echo = self

        class Handler(BaseHTTPRequestHandler):
            timeout = 60

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                echo.requests.append(
                    _as_server(self.command, self.path, self.headers.get("content-type", ""), body)
                )
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_POST = do_DELETE = answer  # noqa: N815 - http.server's names

            def log_message(self, *_: Any) -> None:
                """Nothing on stderr."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        self.server.socket = context.wrap_socket(
            self.server.socket, server_side=True, do_handshake_on_connect=False
        )
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()
        (home / ".curlrc").write_text(
            f'insecure\nsilent\nconnect-to = "::127.0.0.1:{self.server.server_address[1]}"\n',
            encoding="utf-8",
        )

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        joined(self.thread)


def _as_server(method: str, target: str, kind: str, body: bytes) -> Sent:
    """A request as Stripe would read it."""
    parts = urlsplit(target)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    if kind.startswith("multipart/"):
        message = email.parser.BytesParser().parsebytes(
            b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body
        )
        for part in message.get_payload():  # type: ignore[union-attr]
            name = str(part.get_param("name", header="content-disposition"))  # type: ignore[union-attr]
            content = part.get_payload(decode=True)  # type: ignore[union-attr]
            pairs.append((name, content.decode("latin-1")))  # type: ignore[union-attr]
    else:
        pairs += parse_qsl(body.decode(), keep_blank_values=True)
    return method, unquote(parts.path), numbered(pairs)


def numbered(pairs: Any) -> dict[str, str]:
    """Parameters with `[]` numbered, as ours are."""
    counts: dict[str, int] = {}
    found = {}
    for name, value in pairs:
        at = counts.get(name, 0)
        counts[name] = at + 1
        found[re.sub(r"\[\]$", f"[{at}]", name)] = value
    return found


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, content in FILES.items():
        (tmp_path / name).write_text(content, encoding="latin-1")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def echo(certificate: Path, workplace: Path) -> Iterator[Echo]:
    echo = Echo(certificate, workplace)
    yield echo
    echo.close()


def ours(line: str, where: str = "line") -> Sent:
    """What we would send for it."""
    command = parse(line, None, VARIABLES) if where == "line" else parse("--dry-run", line, VARIABLES)
    assert KEY not in repr(command)
    request = pipeline.prepare(command)
    params = dict(request.params) | dict(request.query)
    for name, path in (request.files or {}).items():
        params[name] = Path(path).read_bytes().decode("latin-1")
    if not request.limit_given:
        params.pop("limit", None)
    return request.method, unquote(request.path), numbered(params.items())


def test_the_table_is_large_enough(workplace: Path) -> None:
    lines = [*CURL, *(line for line, *_ in CLI), *(line for line, *_ in LINES)]
    assert len(CURL) + len(CLI) >= 120
    paths = {ours(line)[1].split("/")[2] for line in CURL} | {path.split("/")[2] for _, _, path, _ in CLI}
    assert len(paths) >= 25
    assert len(set(lines)) == len(lines)


@pytest.mark.skipif(
    not (shutil.which("bash") and shutil.which("curl")), reason="bash and curl judge these lines"
)
def test_curl_lines_mean_what_bash_and_curl_make_of_them(echo: Echo, workplace: Path) -> None:
    problems = []
    environment = {
        "PATH": os.environ["PATH"],
        "CURL_HOME": str(workplace),
        "HOME": str(workplace),
        "LC_ALL": "C.UTF-8",
        **VARIABLES,
    }
    for line in CURL:
        echo.requests.clear()
        script = f"jq() {{ cat; }}\n{line}\n"
        done = subprocess.run(  # noqa: S603 - the very line, against a server of our own
            ["bash", "-c", script],  # noqa: S607
            env=environment, cwd=workplace, capture_output=True, timeout=60, check=False,
        )  # fmt: skip
        if len(echo.requests) != 1:
            problems.append(
                f"{line}\n  curl: {done.returncode} {done.stderr.decode()[:200]} {len(echo.requests)}"
                " requests"
            )
            continue
        for where in ("line", "cell"):
            try:
                mine = ours(line, where)
            except StripeMagicsError as fault:
                problems.append(f"{line}\n  {fault}")
                break
            theirs = echo.requests[0]
            if mine != theirs:
                problems.append(f"{line}\n  curl: {theirs}\n  ours: {mine}")
                break
    assert not problems, "\n".join(problems)


def test_lines_of_the_command_line_tool() -> None:
    problems = []
    for line, method, path, params in CLI:
        try:
            found = ours(line)
        except StripeMagicsError as fault:
            problems.append(f"{line}\n  {fault}")
            continue
        if found[:2] != (method, path) or {name: found[2].get(name) for name in params} != params:
            problems.append(f"{line}\n  {found}")
    assert not problems, "\n".join(problems)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (f"curl {API}/charges -d amount=$UNKNOWN_AMOUNT -d currency=usd", r"\$UNKNOWN_AMOUNT"),
        (f'curl {API}/charges -d "customer=${{UNKNOWN}}"', r"\$\{UNKNOWN\}"),
        (f"curl {API}/customers/{{{{CUSTOMER_ID}}}}", r"\{\{CUSTOMER_ID\}\}"),
        (f"curl {API}/charges -d customer='{{{{CUSTOMER_ID}}}}'", r"\{\{CUSTOMER_ID\}\}"),
        (f"curl {API}/charges -d amount=$(cat amount)", r"\$\("),
        (f"curl {API}/charges -d amount=`cat amount`", "command substitution"),
        (f"curl {API}/charges -d amount=${{AMOUNT:-5}}", "only a shell"),
        (f'curl {API}/charges -d description="costs $5"', r"\$5"),
        (f"curl {API}/charges -d amount={{1,2}}", "brace expansion"),
        (f"curl {API}/customers/{{cus_1,cus_2}}", "brace expansion"),
        (f"curl '{API}/customers/{{cus_1,cus_2}}'", "several calls"),
        (f"curl -I {API}/customers", "HEAD"),
        (f"curl -T file {API}/customers", "-T can't be followed"),
        (f"curl -K config {API}/customers", "-K can't be followed"),
        (f"curl {API}/customers --next {API}/charges", "--next can't be followed"),
        (f"curl {API}/customers -d @nowhere.txt", "nowhere.txt"),
        (f"curl {API}/customers -d @-", "nothing is"),
        (f"cat x | tr a b | curl {API}/customers -d @-", "Only one call"),
        (f"curl {API}/customers; curl {API}/charges", "Only one call"),
        (f"curl {API}/customers\ncurl {API}/charges", "Only one call"),
        (f"curl {API}/charges | xargs stripe refunds create", "Only one call"),
        ("stripe customers update $NOBODY_KNOWS --name x", r"\$NOBODY_KNOWS"),
        ('stripe customers create --name "$NOBODY_KNOWS"', r"\$NOBODY_KNOWS"),
        ("stripe customers create --name x && stripe customers list", "Only one call"),
    ],
)  # fmt: skip
def test_what_can_not_be_done_is_refused_with_its_reason(line: str, says: str, workplace: Path) -> None:
    with pytest.raises(UsageFault, match=says) as caught:
        parse(line, None, VARIABLES)
    assert "Leave it out" not in str(caught.value)
    with pytest.raises(UsageFault, match=says):
        parse("", line, VARIABLES)


def test_variables_come_from_python_first_then_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AMOUNT", "1")
    monkeypatch.setenv("ONLY_THERE", "cus_env")
    line = f"curl {API}/charges -u $STRIPE_KEY: -d amount=$AMOUNT -d currency=usd -d customer=$ONLY_THERE"
    assert dict(parse(line, None, {"AMOUNT": 5}).params) == {
        "amount": "5",
        "currency": "usd",
        "customer": "cus_env",
    }
    for missing in (None, float("nan"), "", "  "):
        with pytest.raises(UsageFault, match=r"\$AMOUNT"):
            parse(line, None, {"AMOUNT": missing})


def test_our_options_work_on_a_pasted_line() -> None:
    options = parse(f"curl {API}/customers -u {KEY}: -d name=Ada --dry-run --out made --yes").options
    assert (options.dry_run, options.out, options.yes) == (True, "made", True)
    assert parse(f"curl {API}/customers -u {KEY}: -d name=Ada --form").options.form
    assert parse(f"curl {API}/customers --form -u {KEY}: -d name=Ada").options.form
    assert parse(f"curl {API}/customers -u {KEY}: -d name=Ada;").options.quiet
    assert parse("stripe customers create --name Ada --dry-run --out made | jq .id").options.dry_run


def test_what_only_shows_the_answer_is_left_out_and_said() -> None:
    notes = " ".join(parse(f"curl {API}/customers -u {KEY}: | jq '.data[].id' | head -3 > ids.txt").notes)
    assert "jq .data[].id was left out" in notes
    assert "head -3 was left out" in notes
    assert "-o was left out" in " ".join(parse(f"curl {API}/customers -o x.json").notes)
    assert "--netrc was left out" in " ".join(parse(f"curl --netrc {API}/customers").notes)


def test_an_address_without_a_scheme() -> None:
    assert ours("curl api.stripe.com/v1/customers/cus_1")[1] == "/v1/customers/cus_1"
