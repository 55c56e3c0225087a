"""Requests over HTTP: what is answered, what is refused, and what does no harm."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pymoo.api.http_exchange import HttpLimits
from pymoo.api.http_server import HttpDoor, HttpError, is_loopback
from tests.api.http_world import TOKEN, HttpWorld, Reply, request
from tests.db.worlds import WIZARD
from tests.server.talking import PATIENCE_S

QUICK = HttpLimits(
    body_bytes=10_000,
    answer_bytes=100_000,
    clients=4,
    requests=2,
    idle_s=0.3,
    head_s=0.3,
    body_s=0.3,
    linger_s=0.2,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpWorld]:
    made = HttpWorld(tmp_path_factory.mktemp("http"))
    yield made
    made.stop()


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[HttpWorld]:
    """A world whose door has little patience."""
    made = HttpWorld(tmp_path, QUICK)
    yield made
    made.stop()


# --- what is answered ---------------------------------------------------------------


def test_m03_a_verb_is_called_and_gives_its_value(world: HttpWorld) -> None:
    data = [1, 2.0, "caf\xe9", {"obj": 4}, {"err": "E_PERM"}, [[]]]
    reply = world.post("call", obj="#0", verb="back", args=data, player="#3")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.json["value"] == data
    assert type(reply.json["value"][1]) is float
    assert reply.json["task_id"] > 0
    assert reply.json["output"] == []


def test_m03_a_task_that_suspends_is_waited_for(world: HttpWorld) -> None:
    assert world.post("call", obj="#0", verb="nap", args=[1]).json["value"] == 1


def test_m03_a_task_that_takes_too_long_is_a_timeout(world: HttpWorld) -> None:
    reply = world.post("call", obj="#0", verb="nap", args=[], timeout=0.05)
    assert reply.status == 504
    assert reply.error["kind"] == "timeout"
    task_id = reply.json["task_id"]
    killed = world.post("eval", player="#3", source=f"return kill_task({task_id});")
    assert killed.json["value"] == 0


def test_m03_errors_come_with_all_that_is_known(world: HttpWorld) -> None:
    reply = world.post("call", obj={"obj": 0}, verb="fail", player="#3")
    assert reply.status == 422
    traceback = ["#0:fail, line 2:  Not for you.", "(End of traceback)"]
    assert reply.error == {
        "kind": "moo",
        "message": "Not for you.",
        "code": {"err": "E_PERM"},
        "value": [1, "two"],
        "traceback": traceback,
    }
    assert reply.json["output"] == ["first", *traceback]


def test_m03_a_task_that_is_aborted_says_why(world: HttpWorld) -> None:
    reply = world.post("call", obj="#0", verb="loop")
    assert reply.status == 422
    assert (reply.error["kind"], reply.error["reason"]) == ("aborted", "ticks")


def test_d02_a_command_gives_its_output_and_status(world: HttpWorld) -> None:
    reply = world.post("command", player="#3", line=";return {1, 2};")
    assert reply.json["output"] == ["{1, 2}"]
    assert (reply.json["status"], reply.json["is_finished"]) == (0, True)


def test_d03_a_program_gives_its_output_and_value(world: HttpWorld) -> None:
    reply = world.post("eval", player="#3", source='notify(player, "x");\nreturn {1};')
    assert (reply.json["output"], reply.json["value"]) == (["x"], [1])
    reply = world.post("eval", player="#3", source="1 +")
    assert reply.status == 422
    assert reply.error["kind"] == "syntax"
    assert reply.error["lines"] == ["Line 1:  syntax error"]


def test_those_who_are_connected_see_it_as_well(world: HttpWorld) -> None:
    with world.served.talker() as talker:
        talker.log_in()
        reply = world.post("call", obj="#0", verb="tell", args=["both"], player="#3")
        assert reply.json["output"] == ["both"]
        assert talker.read_line() == "both"


def test_health_is_told_without_a_token(world: HttpWorld) -> None:
    for method in ("GET", "HEAD"):
        with world.connect() as client:
            client.send(request(method, "/v1/health", Authorization=None))
            reply = client.reply(has_body=method == "GET")
            assert reply.status == 200
            if method == "GET":
                assert reply.json == {"status": "ok"}


def test_a_busy_world_is_not_healthy_but_answers_later(tmp_path: Path) -> None:
    world = HttpWorld(tmp_path, HttpLimits(health_s=0.05))
    try:
        busy, go_on = threading.Event(), threading.Event()

        def block() -> None:
            busy.set()
            go_on.wait(PATIENCE_S)

        world.served.loop.call_soon_threadsafe(block)
        busy.wait(PATIENCE_S)
        reply = world.ask("GET", "/v1/health")
        assert (reply.status, reply.json["status"]) == (503, "busy")
        go_on.set()
        assert world.is_alive()
    finally:
        world.stop()


def test_d07_a_request_chooses_what_becomes_of_changes(world: HttpWorld) -> None:
    source = "#0.mark = 5; 1 / 0;"
    world.post("eval", player="#3", source="#0.mark = 1;")
    for policy, mark in (("rollback", 1), ("keep", 5)):
        reply = world.post("eval", player="#3", source=source, error_policy=policy)
        assert reply.status == 422
        seen = world.post("eval", player="#3", source="#0.mark")
        assert seen.json["value"] == mark
    reply = world.post("eval", player="#3", source=source, abort_policy="forget")
    assert (reply.status, reply.error["kind"]) == (400, "request")


# --- who may ask ------------------------------------------------------------------


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        f"Basic {TOKEN}",
        TOKEN,
        "Bearer \xe9",
    ],
)
def test_without_the_token_nothing_is_done(
    world: HttpWorld, authorization: str | None
) -> None:
    for path in ("/v1/eval", "/v1/nothing", "/"):
        reply = world.ask(
            "POST",
            path,
            {"player": "#3", "source": "shutdown()"},
            Authorization=authorization,
        )
        assert reply.status == 401
        assert reply.headers["www-authenticate"].startswith("Bearer")
    assert world.is_alive()


def test_the_scheme_is_known_in_any_case(world: HttpWorld) -> None:
    reply = world.ask(
        "POST", "/v1/eval", {"player": "#3", "source": "1"},
        Authorization=f"bearer {TOKEN}",
    )  # fmt: skip
    assert reply.status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "localhost.evil.example", "", "a:b:c"]
)
def test_a_foreign_name_for_this_machine_is_refused(
    world: HttpWorld, host: str
) -> None:
    """Such as a page's whose name was made to point here (DNS rebinding)."""
    for path in ("/v1/health", "/v1/eval"):
        assert world.ask("GET", path, Host=host).status == 421


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:7780", "[::1]:80"]
)
def test_the_names_of_this_machine_are_accepted(world: HttpWorld, host: str) -> None:
    assert world.ask("GET", "/v1/health", Host=host).status == 200


def test_other_peoples_web_pages_are_not_let_in(world: HttpWorld) -> None:
    preflight = world.ask(
        "OPTIONS", "/v1/eval",
        Authorization=None,
        Origin="https://evil.example",
        Access_Control_Request_Method="POST",
        Access_Control_Request_Headers="authorization",
    )  # fmt: skip
    form = world.ask(
        "POST", "/v1/eval", b"player=3", Content_Type="text/plain",
        Origin="https://evil.example",
    )  # fmt: skip
    assert (preflight.status, form.status) == (401, 415)
    for reply in (preflight, form, world.ask("GET", "/v1/health", Origin="null")):
        assert not [name for name in reply.headers if name.startswith("access-control")]


# --- what is refused ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/", 404),
        ("POST", "/v1/nothing", 404),
        ("GET", "/v1/call", 405),
        ("PUT", "/v1/eval", 405),
        ("OPTIONS", "/v1/call", 405),
        ("DELETE", "/v1/health", 405),
        ("POST", "/v1/health", 405),
        ("CONNECT", "/v1/call", 405),
    ],
)
def test_other_paths_and_methods_are_refused(
    world: HttpWorld, method: str, path: str, status: int
) -> None:
    reply = world.ask(method, path, {})
    assert reply.status == status
    assert reply.error["kind"] == "request"
    assert ("allow" in reply.headers) == (status == 405)


@pytest.mark.parametrize(
    ("path", "data", "complaint"),
    [
        ("call", b"", "not JSON"),
        ("call", b"{", "not JSON"),
        ("call", b"\xff", "not JSON"),
        ("call", [], "no JSON object"),
        ("call", {}, '"obj" is missing'),
        ("call", {"obj": "#0"}, '"verb" is missing'),
        ("call", {"obj": 0, "verb": "x"}, '"obj" is no object'),
        ("call", {"obj": "#x", "verb": "x"}, '"obj" is no object'),
        ("call", {"obj": "#99999999999", "verb": "x"}, "does not fit"),
        ("call", {"obj": "#0", "verb": 1}, '"verb" is no string'),
        ("call", {"obj": "#0", "verb": "x", "args": 1}, '"args" is no array'),
        ("call", {"obj": "#0", "verb": "x", "args": [None]}, "null is no value"),
        ("call", {"obj": "#0", "verb": "x", "args": ["\n"]}, "one line"),
        ("call", {"obj": "#0", "verb": "x", "args": ["\u2603"]}, "does not have"),
        ("call", {"obj": "#0", "verb": "x", "argz": []}, '"argz" is not known'),
        ("call", {"obj": "#0", "verb": "x", "timeout": -1}, '"timeout" must be'),
        ("call", {"obj": "#0", "verb": "x", "timeout": 1e9}, '"timeout" must be'),
        ("call", {"obj": "#0", "verb": "x", "timeout": True}, '"timeout" must be'),
        ("eval", {"source": "1"}, '"player" is missing'),
        ("eval", {"player": "#3", "source": ["1"]}, '"source" is no string'),
        ("command", {"player": "#3", "line": "a\nb"}, "one line"),
        ("call", b"[" * 900_000, "nested more than 2000 deep"),
        ("call", b'{"obj": "#0", "obj": "#1"}', "two values"),
    ],
)
def test_what_is_no_request_is_refused(
    world: HttpWorld, path: str, data: Any, complaint: str
) -> None:
    reply = world.ask("POST", f"/v1/{path}", data)
    assert reply.status == 400
    assert reply.error["kind"] == "request"
    assert complaint in reply.error["message"]


def test_errors_before_the_task_are_moo_errors_too(world: HttpWorld) -> None:
    reply = world.post("call", obj="#0", verb="nothing")
    assert (reply.status, reply.error["code"]) == (422, {"err": "E_VERBNF"})
    reply = world.post("eval", player="#2", source="1")
    assert (reply.status, reply.error["code"]) == (422, {"err": "E_PERM"})
    reply = world.post("command", player="#999", line="x")
    assert (reply.status, reply.error["code"]) == (422, {"err": "E_INVARG"})


def test_bodies_that_are_too_large_are_refused(quick: HttpWorld) -> None:
    with quick.connect() as client:  # before anything of it was sent
        client.send(request("POST", "/v1/call", Content_Length="10001"))
        assert client.reply().status == 413
        assert client.is_closed()
    with quick.connect() as client:
        client.send(request("POST", "/v1/call", Content_Length="9" * 19))
        assert client.reply().status == 413
    with quick.connect() as client:
        client.send(
            request(
                "POST", "/v1/call", Content_Length=None, Transfer_Encoding="chunked"
            )
        )
        for _ in range(3):
            client.send(b"fa0\r\n" + b"x" * 4000 + b"\r\n")
        assert client.reply().status == 413
        assert client.is_closed()
    assert quick.is_alive()


def test_a_body_may_come_in_chunks(world: HttpWorld) -> None:
    body = json.dumps({"player": "#3", "source": "6 * 7"}).encode()
    with world.connect() as client:
        client.send(
            request(
                "POST", "/v1/eval", Content_Length=None, Transfer_Encoding="chunked"
            )
        )
        for place in range(0, len(body), 5):
            part = body[place : place + 5]
            client.send(b"%x\r\n%s\r\n" % (len(part), part))
        client.send(b"0\r\n\r\n")
        assert client.reply().json["value"] == 42


def test_who_wants_to_be_told_to_go_on_is(world: HttpWorld) -> None:
    head, _, body = request(
        "POST", "/v1/eval", {"player": "#3", "source": "1"}, Expect="100-continue"
    ).partition(b"\r\n\r\n")
    with world.connect() as client:
        client.send(head + b"\r\n\r\n")
        assert client.reply().status == 100
        client.send(body)
        assert client.reply().json["value"] == 1
    with world.connect() as client:  # not those who may not
        client.send(head.replace(TOKEN.encode(), b"wrong-token") + b"\r\n\r\n")
        assert client.reply().status == 401


def test_answers_that_are_too_large_are_refused(quick: HttpWorld) -> None:
    reply = quick.post("call", obj="#0", verb="shared", args=[200])
    assert reply.status == 400
    assert "the answer has more than 100000 bytes" in reply.error["message"]
    assert quick.is_alive()


def test_values_may_be_nested_deep(world: HttpWorld) -> None:
    reply = world.post("call", obj="#0", verb="deep", args=[9_000])
    assert reply.body.startswith(b'{"value": ' + b"[" * 9_001 + b"]" * 9_001)


# --- connections --------------------------------------------------------------------


def test_a_connection_is_used_again(world: HttpWorld) -> None:
    with world.connect() as client:
        for number in range(5):
            client.send(
                request("POST", "/v1/eval", {"player": "#3", "source": str(number)})
            )
            assert client.reply().json["value"] == number
        client.send(request("POST", "/v1/eval", {"player": "#3"}))
        assert client.reply().status == 400
        client.send(request("GET", "/v1/health"))
        assert client.reply().status == 200


def test_requests_sent_ahead_are_answered_in_their_order(world: HttpWorld) -> None:
    sources = ["suspend(1); return 0;", "1", "2", "3"]
    with world.connect() as client:
        client.send(
            b"".join(
                request("POST", "/v1/eval", {"player": "#3", "source": source})
                for source in sources
            )
        )
        assert [client.reply().json["value"] for _ in sources] == [0, 1, 2, 3]


def test_a_client_that_wants_to_close_is_closed(world: HttpWorld) -> None:
    with world.connect() as client:
        client.send(request("GET", "/v1/health", Connection="close"))
        assert client.reply().status == 200
        assert client.is_closed()
    with world.connect() as client:
        client.send(b"GET /v1/health HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert client.reply().status == 200
        assert client.is_closed()


def test_a_client_that_has_said_all_still_gets_its_answer(world: HttpWorld) -> None:
    with world.connect() as client:
        source = "suspend(1); return 5;"
        client.send(request("POST", "/v1/eval", {"player": "#3", "source": source}))
        client.socket.shutdown(socket.SHUT_WR)
        assert client.reply().json["value"] == 5
        assert client.is_closed()


def test_clients_that_say_nothing_are_closed(quick: HttpWorld) -> None:
    with quick.connect() as client:
        assert client.is_closed()
    with quick.connect() as client:
        client.send(request("GET", "/v1/health"))
        client.reply()
        assert client.is_closed()


def test_slow_heads_and_bodies_are_given_up(quick: HttpWorld) -> None:
    with quick.connect() as client:
        client.send(b"GET /v1/hea")
        reply = client.reply()
        assert reply.status == 408
        assert client.is_closed()
    with quick.connect() as client:
        client.send(request("POST", "/v1/call", Content_Length="100") + b"{")
        assert client.reply().status == 408
        assert client.is_closed()


def test_a_client_that_drips_is_given_up_all_the_same(quick: HttpWorld) -> None:
    with quick.connect() as client:
        began = time.monotonic()
        try:
            while time.monotonic() - began < PATIENCE_S:
                client.send(b"G")
                time.sleep(0.02)
                if time.monotonic() - began > 1.0:
                    break
        except OSError:
            pass
        assert client.reply().status == 408


def test_too_many_clients_are_told_so(quick: HttpWorld) -> None:
    held = [quick.connect() for _ in range(QUICK.clients)]
    try:
        with quick.connect() as client:
            assert client.reply().status == 503
            assert client.is_closed()
    finally:
        for each in held:
            each.__exit__()
    end = time.monotonic() + PATIENCE_S
    while True:
        with quick.connect() as client:
            client.send(request("GET", "/v1/health"))
            if client.reply().status == 200:
                return
        assert time.monotonic() < end


def test_too_many_requests_are_told_to_come_back(quick: HttpWorld) -> None:
    nap = {"obj": "#0", "verb": "nap", "args": [], "timeout": 20}
    held = [quick.connect() for _ in range(QUICK.requests)]
    try:
        for each in held:
            each.send(request("POST", "/v1/call", nap))
        end = time.monotonic() + PATIENCE_S
        while len(quick.door.gateway) < QUICK.requests:
            assert time.monotonic() < end
            time.sleep(0.005)
        reply = quick.post("eval", player="#3", source="1")
        assert reply.status == 429
        assert reply.headers["retry-after"] == "1"
        quick.served.ask(
            lambda: (
                [
                    quick.served.server.tasks.kill(row[0], row[4])  # type: ignore
                    for row in quick.served.server.tasks.queued_tasks(WIZARD)
                ]
                and quick.served.main_loop.wake()
            )
        )
        for each in held:
            assert each.reply().error["reason"] == "killed"
    finally:
        for each in held:
            each.__exit__()


def test_a_client_that_goes_away_does_no_harm(world: HttpWorld) -> None:
    for _ in range(5):
        with world.connect() as client:
            source = "suspend(1); return 5;"
            client.send(request("POST", "/v1/eval", {"player": "#3", "source": source}))
            client.socket.setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
            )
    assert world.is_alive()


def _ask_beside_a_restless_task(world: HttpWorld, requests: int) -> None:
    source = 'fork (0) while (#0.mark != "end") suspend(0); endwhile endfork'
    world.post("eval", player="#3", source=source)
    for number in range(requests):
        assert (
            world.post("eval", player="#3", source=str(number)).json["value"] == number
        )
    world.post("eval", player="#3", source='#0.mark = "end"')


def test_requests_take_turns_with_tasks(world: HttpWorld) -> None:
    """Neither waits for the other: a task that never rests, and a hundred calls."""
    _ask_beside_a_restless_task(world, 100)


@pytest.mark.skipif(
    not (hasattr(os, "SCHED_BATCH") and hasattr(os, "sched_getaffinity")),
    reason="Linux schedules so; PyPy cannot choose a processor",
)
def test_requests_come_through_on_a_busy_computer(tmp_path: Path) -> None:
    """A thread that is woken when the world waits for nothing comes always too late.

    So it is where the system lets whoever runs run on: with one processor, and tasks
    that are all said to be long computations.
    """
    processors = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(processors)})
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    try:
        world = HttpWorld(tmp_path)
        try:
            _ask_beside_a_restless_task(world, 5)
        finally:
            world.stop()
    finally:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
        os.sched_setaffinity(0, processors)


# --- whatever comes ---------------------------------------------------------------

LINES = st.lists(
    st.sampled_from(
        [
            "GET /v1/health HTTP/1.1",
            "POST /v1/eval HTTP/1.1",
            "POST /v1/eval HTTP/9.9",
            "Host: localhost",
            "Host: localhost, localhost",
            f"Authorization: Bearer {TOKEN}",
            "Content-Length: 5",
            "Content-Length: -1",
            "Content-Length: 5, 6",
            "Transfer-Encoding: chunked",
            "Transfer-Encoding: gzip",
            "Content-Type: application/json",
            "Connection: upgrade",
            "Upgrade: websocket",
            "Expect: 100-continue",
            " folded",
            "No colon",
            ": no name",
            "",
            "{}",
            "5",
            "fffffffffffffffff",
            "0",
        ]
    ),
    max_size=12,
).map(lambda lines: "\r\n".join(lines).encode("ascii"))


@settings(
    max_examples=150,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
    ],
)
@given(
    st.one_of(
        LINES,
        st.binary(max_size=200),
        st.tuples(LINES, st.binary(max_size=50)).map(b"\r\n".join),
    )
)
def test_no_bytes_take_the_server_down(world: HttpWorld, data: bytes) -> None:
    with world.connect() as client:
        client.send(data)
        client.socket.shutdown(socket.SHUT_WR)
        received = b""
        while part := _received(client.socket):
            received += part
    if received:
        assert received.startswith(b"HTTP/1.1 ")
        status = int(received.split()[1])
        assert status in {100, 200, 400, 401, 404, 405, 411, 413, 415, 421, 431, 501}
    assert world.ask("GET", "/v1/health").status == 200
    assert "BUG" not in "".join(world.served.log)


def test_what_follows_a_head_request_and_is_not_http_is_told_so(
    world: HttpWorld,
) -> None:
    with world.connect() as client:
        client.send(request("HEAD", "/v1/health"))
        assert client.reply(has_body=False).status == 200
        client.send(b"what?\r\n\r\n")
        reply = client.reply()
        assert reply.status == 400
        assert reply.error["message"].startswith("not HTTP")
        assert client.is_closed()
    assert "BUG" not in "".join(world.served.log)


def test_a_header_that_is_damaged_is_not_repeated_in_the_answer(
    world: HttpWorld,
) -> None:
    with world.connect() as client:
        client.send(f"GET / HTTP/1.1\r\nAn Authorization: {TOKEN}\r\n\r\n".encode())
        reply = client.reply()
    assert reply.status == 400
    assert TOKEN.encode() not in reply.body


def _received(sock: socket.socket) -> bytes:
    try:
        return sock.recv(65_536)
    except ConnectionError:
        return b""


def test_a_head_without_end_is_refused(world: HttpWorld) -> None:
    with world.connect() as client:
        client.send(b"GET /v1/health HTTP/1.1\r\n" + b"X: y\r\n" * 4000)
        assert client.reply().status == 431
        assert client.is_closed()


# --- ends ---------------------------------------------------------------------------


def test_whoever_waits_is_told_that_the_server_stops(tmp_path: Path) -> None:
    world = HttpWorld(tmp_path)
    with world.connect() as idle, world.connect() as client:
        idle.send(request("GET", "/v1/health"))
        idle.reply()
        nap = {"obj": "#0", "verb": "nap"}
        client.send(request("POST", "/v1/call", nap))
        world.served.wait_until(lambda: bool(world.served.server.outside._asleep))
        began = time.monotonic()
        world.stop()
        assert time.monotonic() - began < PATIENCE_S
        reply = client.reply()
        assert (reply.status, reply.error["kind"]) == (503, "closed")
        assert idle.is_closed()
        assert client.is_closed()
    with pytest.raises(ConnectionRefusedError):
        world.connect()


def test_a_port_that_is_taken_is_said_so(world: HttpWorld) -> None:
    door = HttpDoor("127.0.0.1", world.port, TOKEN)
    with pytest.raises(HttpError, match=f"port {world.port}: .*Choose another port"):
        door.bind()
    with pytest.raises(HttpError, match=r"taken at 192\.0\.2\.1"):
        HttpDoor("192.0.2.1", 0, TOKEN).bind()


def test_loopback_is_known_by_its_addresses() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.1.2.3", "::1", "localhost")))
    assert not any(map(is_loopback, ("0.0.0.0", "", "::", "192.0.2.1", "moo.example")))
    assert HttpDoor("0.0.0.0", 0, TOKEN).names is None


def test_without_the_library_one_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "h11", None)
    with pytest.raises(HttpError, match=r'pip install "lambdamoo-python\[http\]"'):
        HttpDoor("127.0.0.1", 0, TOKEN)


def test_a_bug_in_pymoo_is_an_answer_and_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = HttpWorld(tmp_path)
    try:

        def broken(*args: Any) -> Any:
            raise KeyError("a bug")

        monkeypatch.setattr("pymoo.api.http_exchange.request_of", broken)
        reply: Reply = world.post("eval", player="#3", source="1")
        assert reply.status == 500
        world.served.wait_until(
            lambda: any("KeyError: 'a bug'" in line for line in world.served.log)
        )
        monkeypatch.undo()
        assert world.is_alive()
    finally:
        world.stop()
