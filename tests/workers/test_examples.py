"""The workers that come with pymoo: fetch_url and pure."""

from __future__ import annotations

import ipaddress
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pymoo.errors import MooError
from pymoo.values import E_INVARG, E_PERM, E_QUOTA
from pymoo.workers import examples
from pymoo.workers.examples import fetch_url, is_allowed, pure
from pymoo.workers.text import moo_line, moo_lines
from tests.workers.office import Workshop

# --- text -----------------------------------------------------------------------


def test_text_becomes_lines_that_every_database_can_hold() -> None:
    assert moo_lines("") == ()
    assert moo_lines("one\r\ntwo\rthree\n\nfive") == ("one", "two", "three", "", "five")
    assert moo_lines("end\n") == ("end",)
    assert moo_lines("\ta\x00b\x85c\u2028\u4e2d\xe9\x0c") == ("\ta?b?c??\xe9?",)
    assert moo_line("a\nb") == "a?b"


# --- fetch_url ------------------------------------------------------------------


class Pages(BaseHTTPRequestHandler):
    """What the tests fetch."""

    def do_GET(self) -> None:
        getattr(self, "page_" + self.path.strip("/").split("?")[0])()

    def send(
        self, body: bytes, content: str = "text/plain", status: int = 200, **more: str
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content)
        self.send_header("Content-Length", str(len(body)))
        for name, text in more.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(body)

    def page_plain(self) -> None:
        self.send(f"{self.path}\r\n{self.headers['Host']}\n".encode())

    def page_utf8(self) -> None:
        self.send("caf\xe9 \u4e2d".encode(), "text/html; charset=UTF-8")

    def page_latin(self) -> None:
        self.send(b"caf\xe9", 'text/html; charset="iso-8859-1"')

    def page_unknown(self) -> None:
        self.send(b"caf\xe9", "text/html; charset=klingon")

    def page_missing(self) -> None:
        self.send(b"nothing", status=404)

    def page_near(self) -> None:
        self.send(b"", status=302, Location="/plain")

    def page_round(self) -> None:
        self.send(b"", status=301, Location="/round")

    def page_inside(self) -> None:
        self.send(b"", status=302, Location="http://10.1.2.3/secret")

    def page_file(self) -> None:
        self.send(b"", status=302, Location="file:///etc/passwd")

    def page_big(self) -> None:
        self.send(b"x" * (examples.MAX_BODY + 1))

    def page_short(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100")
        self.end_headers()
        self.wfile.write(b"short")

    def page_slow(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(1000):
            try:
                self.wfile.write(b"x")
            except OSError:
                return
            time.sleep(0.02)

    def page_silent(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.rfile.read()  # until it is hung up

    def page_header(self) -> None:
        """Send a header that never ends, each part soon after the last one."""
        self.wfile.write(b"HTTP/1.0 200 OK\r\nX: ")
        self.page_slow()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a server of pages, which is public to fetch_url."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv(examples.ALLOW, "192.0.2.0/24 127.0.0.1/32")
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def refusal(url: str) -> tuple[object, str]:
    with pytest.raises(MooError) as caught:
        fetch_url(url)
    return caught.value.code, caught.value.message


def test_a_page_is_fetched_with_status_and_headers(site: str) -> None:
    status, headers, lines = fetch_url(f"{site}/plain?a=b#c")  # type: ignore[misc]
    assert status == 200
    assert ("content-type", "text/plain") in headers
    assert lines == ("/plain?a=b", site.removeprefix("http://"))


def test_an_error_of_the_site_is_an_answer(site: str) -> None:
    status, _, lines = fetch_url(f"{site}/missing")  # type: ignore[misc]
    assert (status, lines) == (404, ("nothing",))


@pytest.mark.parametrize(
    ("page", "line"),
    [("utf8", "caf\xe9 ?"), ("latin", "caf\xe9"), ("unknown", "caf\xe9")],
)
def test_the_character_set_is_the_page_s(site: str, page: str, line: str) -> None:
    assert fetch_url(f"{site}/{page}")[2] == (line,)  # type: ignore[index]


def test_redirections_are_followed_for_a_while(site: str) -> None:
    assert fetch_url(f"{site}/near")[2][0] == "/plain"  # type: ignore[index]
    assert refusal(f"{site}/round") == (E_QUOTA, "More than 5 redirections")


def test_no_redirection_leads_inside(site: str) -> None:
    assert refusal(f"{site}/inside") == (
        E_PERM,
        "10.1.2.3 is not a public address, nor in a network of PYMOO_FETCH_ALLOW",
    )
    assert refusal(f"{site}/file") == (
        E_INVARG,
        "An address begins with http:// or https://",
    )


def test_what_is_too_long_is_given_up(site: str) -> None:
    assert refusal(f"{site}/big") == (E_QUOTA, "It is longer than 262144 bytes")


def test_what_ends_too_early_is_no_page(site: str) -> None:
    assert refusal(f"{site}/short")[0] is E_INVARG


@pytest.mark.parametrize("page", ["slow", "header", "silent"])
def test_what_takes_too_long_is_given_up_though_bytes_still_come(
    site: str, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "MAX_SECONDS", 0.3)
    began = time.monotonic()
    assert refusal(f"{site}/{page}") == (E_QUOTA, "It takes more than 0.3 seconds")
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "url",
    [
        "",
        "plain",
        "//127.0.0.1/",
        "ftp://127.0.0.1/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:6379/_x",
        "http://",
        "http:///x",
        "http://user:word@127.0.0.1/",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1:x/",
        "http://[::1/",
        "http://127.0.0.1/a b",
        "http://127.0.0.1/a\tb",
        "http://127.0.0.1/\xe9",
    ],
)
def test_other_addresses_are_none_of_the_web(url: str, site: str) -> None:
    assert refusal(url)[0] is E_INVARG


def test_nobody_there_is_E_INVARG(site: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    code, message = refusal(f"http://127.0.0.1:{port}/")
    assert code is E_INVARG
    assert message.startswith("127.0.0.1 does not answer: ")


def test_a_server_that_does_not_prove_who_it_is_is_not_asked(site: str) -> None:
    code, message = refusal(site.replace("http:", "https:") + "/plain")
    assert code is E_INVARG
    assert message.startswith("127.0.0.1 does not answer: ")


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1.2.3",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::",
        "2001:0:a00:1::",
    ],
)
def test_addresses_that_are_not_public_are_not_reached(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(examples.ALLOW, raising=False)
    assert not is_allowed(ipaddress.ip_address(host))


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:7579/", "http://localhost:7579/", "http://2130706433:7579/"],
)
def test_neither_names_nor_other_spellings_lead_inside(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(examples.ALLOW, raising=False)
    code, message = refusal(url)
    assert code is E_PERM
    assert message.endswith(
        "is not a public address, nor in a network of PYMOO_FETCH_ALLOW"
    )
    assert message.count("127.0.0.1") <= 1


def test_public_addresses_are_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(examples.ALLOW, "10.1.0.0/16 fd00::/8")
    for host in ("8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "10.1.2.3", "fd00::1"):
        assert is_allowed(ipaddress.ip_address(host))
    assert not is_allowed(ipaddress.ip_address("10.2.0.1"))


def test_a_proxy_in_the_environment_is_not_asked(
    site: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:7579/")
    assert fetch_url(f"{site}/plain")[0] == 200  # type: ignore[index]


# --- pure -----------------------------------------------------------------------


def test_pure_calls_what_is_on_its_list() -> None:
    assert pure("math:comb", 50, 3) == 19600
    assert pure("statistics:median", (1, 5, 2)) == 2
    assert pure("difflib:get_close_matches", "appel", ("ape", "apple")) == [
        "apple",
        "ape",
    ]


@pytest.mark.parametrize("name", ["os:system", "builtins:eval", "math:", "", "comb"])
def test_pure_calls_nothing_else(name: str) -> None:
    with pytest.raises(MooError) as caught:
        pure(name, "echo pwned")
    assert caught.value.code is E_PERM
    assert caught.value.value == name


def test_pure_tells_what_the_function_says_of_the_arguments() -> None:
    with pytest.raises(MooError, match="math:comb: k must be") as caught:
        pure("math:comb", 5, -1)
    assert caught.value.code is E_INVARG


def test_examples_work_as_workers(workshop: Callable[..., Workshop], site: str) -> None:
    shop = workshop(modules=("pymoo.workers.examples",), cpu_s=0.5)
    answer = shop.ask("fetch_url", f"{site}/plain")
    assert answer[0] == 200  # type: ignore[index]
    assert shop.ask("pure", "math:gcd", 12, 18) == 6
    code, message, _ = shop.error("pure", "math:factorial", 10_000_000)
    assert (code, message) == (
        "E_INVARG",
        "pure: the worker is lost: it has used up its CPU seconds",
    )
