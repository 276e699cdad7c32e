"""What is checked before anything is sent: the host, the path, header values, proxies and certificates.

- A key goes to Stripe's own hosts over https, or (a test key) to this machine. Hosts are compared whole,
  after parsing.
- A path is made of plain segments: no empty one, no `.` or `..`, nothing that could reach another host or
  another endpoint.
- Header values are printable, short and on one line.
"""

from __future__ import annotations

import importlib.util
import os
import re
import ssl
from urllib.parse import unquote, urlsplit

from stripe_magics._redaction import redact
from stripe_magics.errors import Details, InvalidRequest, KeyRefused, NotConnected

API = "https://api.stripe.com"
HOSTS = frozenset({"api.stripe.com", "files.stripe.com", "connect.stripe.com", "meter-events.stripe.com"})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
METHODS = frozenset({"GET", "POST", "DELETE", "PUT", "PATCH"})

_SEGMENT = re.compile(r"[A-Za-z0-9][\w.\-~@:+ ]*", re.ASCII)
_SENT = re.compile(r"(?:[A-Za-z0-9_.\-~@:+]|%[0-9A-Fa-f]{2})+")


def check_base(url: str, mode: str) -> str:
    """The base URL, without a slash at its end. Raises `NotConnected` for a host that may not get a key of
    that mode."""
    text = url.strip() or API
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise NotConnected(f"{redact(text)!r} is not a URL.") from None
    if (
        parts.username is not None
        or parts.password is not None
        or parts.query
        or parts.fragment
        or parts.path.strip("/")
        or "\\" in text
    ):
        raise NotConnected(
            "The API base must be a scheme, a host and perhaps a port, nothing else: https://api.stripe.com"
        )
    if host in HOSTS:
        if parts.scheme != "https" or port not in {None, 443}:
            raise NotConnected(f"Stripe is reached over https only: https://{host}")
    elif host in LOOPBACK:
        if parts.scheme not in {"http", "https"}:
            raise NotConnected(f"The API base {text} must start with https:// or http://")
        if mode != "test":
            raise NotConnected(f"Only a test key may be sent to {host}; this one is {mode}.")
    else:
        raise NotConnected(
            f"A key is sent to Stripe's own hosts or to this machine, not to {host or redact(text)!r}.",
            advice=f"Known hosts: {', '.join(sorted(HOSTS | LOOPBACK))}.",
        )
    return text.rstrip("/")


def check_path(path: str) -> str:
    """A path that reaches exactly the endpoint that it names. Raises `InvalidRequest` otherwise; nothing was
    sent."""
    if not re.match(r"/v[12]/", path):
        raise _refused(f"The path must start with /v1/ or /v2/, not {redact(path[:60])!r}.")
    if re.search(r"[\x00-\x20\x7f-\uffff\U00010000-\U0010ffff?#\\]", path):
        raise _refused(f"The path {redact(path[:60])!r} has characters that a path can't have.")
    for segment in path[1:].split("/"):
        plain = unquote(segment)
        if plain in {"", ".", ".."}:
            raise _refused(f"An id in the path is empty or {plain!r}: that would reach another endpoint.")
        if not _SENT.fullmatch(segment) or not _SEGMENT.fullmatch(plain):
            raise _refused(f"{redact(plain[:60])!r} can't be an id.")
    return path


def check_method(method: str) -> str:
    """GET, POST, DELETE, PUT or PATCH."""
    if method.upper() not in METHODS:
        raise _refused(f"{redact(method)!r} is not a method; use one of {', '.join(sorted(METHODS))}.")
    return method.upper()


def check_header(name: str, value: str) -> str:
    """A header value, without the spaces around it. Raises `InvalidRequest` for one that can't be sent."""
    text = value.strip(" ")
    if not text:
        raise _refused(f"The header {name} is empty.")
    if len(text) > 255:
        raise _refused(f"The header {name} is longer than 255 characters.")
    if not re.fullmatch(r"[\x20-\x7e]+", text):
        raise _refused(f"The header {name} has a line break or a character that a header can't have.")
    if not re.fullmatch(r"[A-Za-z0-9\-]+", name):
        raise _refused(f"{redact(name)!r} is not a header name.")
    if name.lower() in {"authorization", "cookie", "proxy-authorization", "x-api-key"}:
        raise KeyRefused(f"The header {name} can't be given: the connection's own key is used.")
    if name.lower() in {"host", "content-length", "transfer-encoding", "connection"}:
        raise _refused(f"The header {name} can't be given.")
    return text


def check_key(key: str) -> str:
    """An idempotency key: 1 to 255 printable characters, without the spaces around it."""
    text = key.strip(" ")
    if not text:
        raise _refused("The idempotency key is empty.")
    if len(text) > 255:
        raise _refused(f"The idempotency key has {len(text)} characters; at most 255 are allowed.")
    if not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?", text):
        raise _refused("The idempotency key has a line break or a character that a header can't have.")
    if redact(text) != text:
        raise KeyRefused("The idempotency key looks like an API key or a secret. Use any other text.")
    return text


def _refused(message: str) -> InvalidRequest:
    return InvalidRequest(f"{message} Nothing was sent.", details=Details())


def proxy_for(base: str) -> tuple[str, str]:
    """The proxy that the environment names for a base URL: (its URL, host:port without credentials). ("", "")
    if there is none.

    Loopback and NO_PROXY hosts have none. A key is never sent to an http:// base through a proxy.
    """
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(base)
    host = parts.hostname or ""
    if host in LOOPBACK or proxy_bypass(host):
        return "", ""
    found = getproxies()
    url = found.get(parts.scheme) or found.get("all") or ""
    if not url:
        return "", ""
    if "://" not in url:
        url = f"http://{url}"
    try:
        shown = urlsplit(url)
        name, port, scheme = shown.hostname or "", shown.port, shown.scheme.lower()
    except ValueError:
        name, port, scheme = "", None, ""
    advice = "Correct or unset HTTPS_PROXY / ALL_PROXY; an address looks like http://proxy.example.com:8080."
    if not name or scheme not in {"http", "https", "socks5", "socks5h"}:
        raise NotConnected(
            "The proxy's address in the environment can't be read. Nothing was sent.", advice=advice
        )
    if scheme.startswith("socks") and importlib.util.find_spec("socksio") is None:
        raise NotConnected(
            f"The proxy {name} is a SOCKS proxy, for which a package is missing. Nothing was sent.",
            advice="pip install 'httpx[socks]'",
        )
    return url, f"{name}:{port}" if port else name


def ssl_context(mode: str) -> tuple[ssl.SSLContext, str, str]:
    """The certificates that are trusted: (context, where they are from, a warning or "").

    SSL_CERT_FILE and SSL_CERT_DIR are honoured. SSLKEYLOGFILE, with which traffic can be read, is not
    honoured in live mode.
    """
    from_file, from_dir = os.environ.get("SSL_CERT_FILE", ""), os.environ.get("SSL_CERT_DIR", "")
    try:
        if from_file or from_dir:
            context = ssl.create_default_context(cafile=from_file or None, capath=from_dir or None)
            source = from_file or from_dir
        else:
            import certifi

            context, source = ssl.create_default_context(cafile=certifi.where()), "certifi"
    except OSError as problem:
        raise NotConnected(
            f"The certificates in {from_file or from_dir or 'certifi'} can't be read:"
            f" {problem.strerror or 'not a certificate file'}.",
            advice="Correct or unset SSL_CERT_FILE / SSL_CERT_DIR.",
        ) from None
    warning = ""
    if os.environ.get("SSLKEYLOGFILE"):
        if mode == "test":
            warning = (
                "SSLKEYLOGFILE is set: whoever reads that file can read this connection, the key included."
            )
        else:
            context.keylog_filename = None  # type: ignore[assignment]
            warning = "SSLKEYLOGFILE is set; it is not used for this connection."
    return context, source, warning
