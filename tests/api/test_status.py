"""How a server is: figures, the door where they are asked for, and pymoo status."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pymoo.api.status_command import _lines
from pymoo.api.status_door import StatusDoor, StatusError, socket_path
from pymoo.server.disk_journal import Origin
from pymoo.server.exposition import (
    CONTENT_TYPE,
    COUNTER,
    GAUGE,
    Family,
    Sample,
    exposition,
    number_text,
)
from pymoo.server.figures import ENDS, TURN_BOUNDS_S, Figures
from tests.server.online import Online, write_database
from tests.server.processes import ServerProcess, pymoo
from tests.server.socket_server import SocketServer

# --- the text -----------------------------------------------------------------------

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\["\\n])*"'
NUMBER = r"(?:[+-]?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?|[+-]Inf|NaN)"
LINE = re.compile(
    rf"# HELP {NAME} (?:[^\\\n]|\\[\\n])*|# TYPE {NAME} (?:counter|gauge|histogram)"
    rf"|{NAME}(?:\{{{LABEL}(?:,{LABEL})*\}})? {NUMBER}"
)
"""What a line may be, by the description of the format."""


def check_text(text: str) -> dict[str, str]:
    """Check every line; returns the kinds of the families by their names."""
    assert text.endswith("\n")
    kinds: dict[str, str] = {}
    current = ""
    for line in text[:-1].split("\n"):
        assert LINE.fullmatch(line), line
        words = line.split(" ")
        if words[0] == "#":
            if words[1] == "HELP":
                current = words[2]
                assert current not in kinds
            else:
                assert words[2] == current
                kinds[current] = words[3]
        else:
            name = line.partition("{")[0].partition(" ")[0]
            suffix = name.removeprefix(current)
            allowed = ("_bucket", "_sum", "_count")
            assert suffix in (allowed if kinds[current] == "histogram" else ("",)), line
    return kinds


def test_a_family_is_its_help_its_type_and_its_samples() -> None:
    family = Family(
        "pymoo_things_total",
        COUNTER,
        "Things \\ and\nmore.",
        (Sample(3), Sample(0.5, (("a", 'x"y\\z\n'), ("b", "")))),
    )
    assert exposition([family]) == (
        "# HELP pymoo_things_total Things \\\\ and\\nmore.\n"
        "# TYPE pymoo_things_total counter\n"
        "pymoo_things_total 3\n"
        'pymoo_things_total{a="x\\"y\\\\z\\n",b=""} 0.5\n'
    )


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (-1.5, "-1.5"),
        (1e30, "1e+30"),
        (float("inf"), "+Inf"),
        (float("-inf"), "-Inf"),
        (float("nan"), "NaN"),
    ],
)
def test_numbers_are_written_as_the_format_has_them(number: float, text: str) -> None:
    assert number_text(number) == text


@given(
    st.text(),
    st.lists(st.tuples(st.floats() | st.integers(), st.text()), min_size=1),
)
def test_whatever_is_said_is_read_as_it_was_meant(
    help_: str, rows: list[tuple[float, str]]
) -> None:
    samples = tuple(Sample(number, (("text", text),)) for number, text in rows)
    text = exposition([Family("pymoo_thing", GAUGE, help_, samples)])
    check_text(text)
    parser = pytest.importorskip("prometheus_client.parser")
    (family,) = parser.text_string_to_metric_families(text)
    assert (family.name, family.type) == ("pymoo_thing", "gauge")
    for sample, (number, label) in zip(family.samples, rows, strict=True):
        # Its reader strips lines of blanks, so that labels with odd ones are its own.
        if label.isprintable() and label.isascii():
            assert sample.labels == {"text": label}
        if number == number:
            assert float(sample.value) == float(number)


# --- the figures --------------------------------------------------------------------


class Counted(Online):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.figures = self.server.figures = Figures(
            self.server, now=lambda: self.clock.seconds
        )

    def values(self) -> dict[str, float]:
        """Every figure by name and labels, as Prometheus would have it."""
        text = exposition(self.figures.families(0.25))
        check_text(text)
        rows = [line for line in text.splitlines() if line[0] != "#"]
        return {name: float(value) for name, _, value in map(_parted, rows)}


def _parted(line: str) -> tuple[str, str, str]:
    return line.rpartition(" ")


@pytest.fixture
def counted(tmp_path: Path) -> Counted:
    return Counted(tmp_path)


def test_tasks_are_counted_by_how_they_end(counted: Counted) -> None:
    before = counted.values()
    counted.eval("return 1;")
    counted.eval("fork (100) 1; endfork return 2;")
    for line in (";1 / 0;", ";while x (1) endwhile", "nothing"):
        counted.type(counted.wizard, line)
    counted.wizard.take()
    counted.type(counted.wizard, ";suspend(50);")
    after = counted.values()

    def more(name: str) -> float:
        return after[name] - before[name]

    assert more("pymoo_commands_total") == 6
    assert more("pymoo_slices_total") == 5
    assert more('pymoo_tasks_ended_total{how="done"}') == 2
    assert more('pymoo_tasks_ended_total{how="error"}') == 1
    assert more('pymoo_tasks_ended_total{how="seconds"}') == 1
    assert more("pymoo_ticks_total") > 10
    assert more("pymoo_task_seconds_total") > 1
    assert after["pymoo_tasks_waiting"] == 2
    assert after["pymoo_tasks_ready"] == 0
    assert after["pymoo_players"] == after["pymoo_connections"] == 1
    assert after["pymoo_loop_lag_seconds"] == 0.25


def test_every_end_of_a_task_has_a_figure(counted: Counted) -> None:
    counted.type(counted.wizard, ";kill_task(task_id());")
    counted.type(counted.wizard, ";for i in [1..10000000] endfor")
    values = counted.values()
    assert values['pymoo_tasks_ended_total{how="killed"}'] == 1
    assert values['pymoo_tasks_ended_total{how="ticks"}'] == 1
    assert [name for name in values if "ended" in name] == [
        f'pymoo_tasks_ended_total{{how="{how}"}}' for how in ENDS
    ]


def test_before_the_first_checkpoint_its_time_is_that_of_the_file(
    counted: Counted,
) -> None:
    figures = Figures(counted.server, saved_at=12.0, now=lambda: 50.0)

    def told() -> float:
        (family,) = [
            each
            for each in figures.families(0)
            if each.name == "pymoo_checkpoint_time_seconds"
        ]
        (sample,) = family.samples
        return float(sample.value)

    assert told() == 12.0
    figures._end_checkpoint(False)
    assert told() == 12.0
    figures._end_checkpoint(True)
    assert told() == 50.0


def test_checkpoints_are_counted_and_a_failure_is_a_trouble(counted: Counted) -> None:
    counted.do("dump_database();")
    values = counted.values()
    assert values['pymoo_checkpoints_total{result="ok"}'] == 1
    assert values["pymoo_checkpoint_time_seconds"] == counted.clock.seconds
    assert values["pymoo_checkpoint_duration_seconds"] < 5
    assert counted.figures.troubles() == []
    counted.output.unlink()
    counted.output.mkdir()
    counted.do("dump_database();")
    assert counted.values()['pymoo_checkpoints_total{result="failed"}'] == 1
    assert counted.figures.troubles() == [
        "the last checkpoint has failed; the log says why"
    ]
    assert counted.figures.status(0)["status"] == "trouble"


def test_what_waits_at_connections_is_counted(counted: Counted) -> None:
    other = counted.connect("#4")
    counted.do('set_connection_option(#4, "hold-input", 1);')
    counted.type(other, "12345")
    other.take_slowly(0)
    counted.do('notify(#4, "123456789");')
    values = counted.values()
    assert values["pymoo_input_lines_waiting"] == 1
    assert values["pymoo_input_bytes_waiting"] == 5
    assert values["pymoo_output_bytes_waiting"] == 11


def test_turns_are_counted_by_how_long_they_take(counted: Counted) -> None:
    for seconds in (0.001, 0.005, 0.01, 0.3, 60.0):
        counted.figures.turn_ended(seconds)
    values = counted.values()
    counts = [
        values[f'pymoo_turn_seconds_bucket{{le="{bound}"}}']
        for bound in (*TURN_BOUNDS_S, "+Inf")
    ]
    assert counts == [2, 3, 3, 4, 4, 4, 5]
    assert values["pymoo_turn_seconds_count"] == 5
    assert values["pymoo_turn_seconds_sum"] == pytest.approx(60.316)


def test_a_journal_that_cannot_be_written_is_a_trouble(counted: Counted) -> None:
    assert counted.figures.status(0)["journal"] is None
    counted.server.begin_journal(str(counted.input), Origin())
    values = counted.values()
    assert values["pymoo_journal_written"] == 1
    assert values["pymoo_journal_bytes"] > 0
    assert values["pymoo_journal_records_total"] == 1
    journal = counted.server.dumps.journal
    assert journal is not None
    journal.abandon()
    counted.wizard.take()
    assert counted.values()["pymoo_journal_written"] == 0
    assert counted.figures.troubles() == [
        "the journal is not written; the log says why"
    ]
    assert counted.figures.status(0)["journal"] == {
        "written": False,
        "bytes": 0,
        "records": 1,
    }


def test_the_names_end_as_prometheus_wants_them(counted: Counted) -> None:
    kinds = check_text(exposition(counted.figures.families(0)))
    for name, kind in kinds.items():
        assert name.endswith("_total") is (kind == COUNTER), name


def test_prometheus_reads_the_figures(counted: Counted) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    text = exposition(counted.figures.families(0.5))
    families = {
        family.name: family for family in parser.text_string_to_metric_families(text)
    }
    assert families["pymoo_loop_lag_seconds"].samples[0].value == 0.5
    assert families["pymoo_turn_seconds"].type == "histogram"
    assert families["pymoo_slices"].type == "counter"
    names = {name.removesuffix("_total") for name in check_text(text)}
    assert {name.removesuffix("_total") for name in families} == names


# --- the door -----------------------------------------------------------------------


class Watched:
    """A small world in a thread, with a door for questions."""

    def __init__(self, folder: Path) -> None:
        self.served = SocketServer(folder)
        self.path = socket_path(str(folder / "in.db"))
        self.door = StatusDoor(self.path, 0)
        self.door.bind()
        self.served.ask(self._open)

    def _open(self) -> None:
        server = self.served.server
        server.figures = Figures(server)
        self.door.open(server, self.served.main_loop.post)

    def stop(self) -> None:
        self.door.close()
        self.served.stop()

    def get(
        self, path: str, method: str = "GET", host: str | None = None
    ) -> tuple[int, dict[str, str], str]:
        assert self.door.port is not None
        connection = http.client.HTTPConnection("127.0.0.1", self.door.port, timeout=30)
        headers = {} if host is None else {"Host": host}
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, text

    def send(self, data: bytes, *, local: bool = False) -> bytes:
        """Return what is answered to some bytes."""
        if local:
            asker = socket.socket(socket.AF_UNIX)
            asker.connect(self.path)
        else:
            assert self.door.port is not None
            asker = socket.create_connection(("127.0.0.1", self.door.port))
        with asker:
            asker.settimeout(30)
            asker.sendall(data)
            answer = b""
            try:
                while part := asker.recv(65_536):
                    answer += part
            except ConnectionResetError:
                pass
        return answer


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.stop()


def test_metrics_are_at_the_port(watched: Watched) -> None:
    status, headers, text = watched.get("/metrics")
    assert (status, headers["content-type"]) == (200, CONTENT_TYPE)
    assert check_text(text)["pymoo_slices_total"] == COUNTER


def test_health_is_that_the_world_answers(watched: Watched) -> None:
    assert watched.get("/healthz")[::2] == (200, "ok\n")
    figures = watched.served.server.figures
    assert figures is not None
    figures.last_checkpoint = False
    assert watched.get("/healthz")[::2] == (
        200,
        "the last checkpoint has failed; the log says why\n",
    )
    figures.last_checkpoint = True
    with watched.served.talker() as wizard:
        wizard.log_in()
        wizard.type(";while x (1) endwhile")
        time.sleep(0.5)
        assert watched.get("/healthz")[::2] == (503, "busy\n")


@pytest.mark.parametrize(
    ("method", "path", "host", "status"),
    [
        ("HEAD", "/metrics", None, 200),
        ("GET", "/metrics?x=1", "localhost:1", 200),
        ("GET", "/metrics", "evil.example", 421),
        ("GET", "/metrics", "127.0.0.1.evil.example:80", 421),
        ("POST", "/metrics", None, 405),
        ("GET", "/status", None, 404),
        ("GET", "/", None, 404),
    ],
)
def test_nothing_else_is_at_the_port(
    method: str, path: str, host: str | None, status: int, watched: Watched
) -> None:
    answer = watched.get(path, method, host)
    assert answer[0] == status
    assert method != "HEAD" or answer[2] == ""


@pytest.mark.parametrize(
    "data",
    [b"hello\r\n\r\n", b"\r\n\r\n", b"GET /metrics\r\n\r\n", b"GET / \xff\r\n\r\n"],
)
def test_what_is_not_http_is_refused(data: bytes, watched: Watched) -> None:
    assert watched.send(data).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert watched.send(data, local=True).startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert watched.get("/healthz")[0] == 200


def test_a_head_without_an_end_is_not_read_for_ever(watched: Watched) -> None:
    assert watched.send(b"GET /metrics HTTP/1.1\r\nX: " + b"x" * 100_000) == b""
    assert watched.get("/healthz")[0] == 200


def test_many_who_say_nothing_do_not_keep_others_out_for_long(watched: Watched) -> None:
    assert watched.door.port is not None
    place = "127.0.0.1", watched.door.port
    silent = [socket.create_connection(place) for _ in range(16)]
    try:
        with pytest.raises((OSError, http.client.HTTPException)):
            watched.get("/healthz")
    finally:
        for each in silent:
            each.close()
    end = time.monotonic() + 30
    while True:
        try:
            assert watched.get("/healthz")[0] == 200
            break
        except (OSError, http.client.HTTPException):
            assert time.monotonic() < end


def test_the_status_is_at_the_socket_of_the_user_alone(watched: Watched) -> None:
    mode = os.stat(watched.path).st_mode
    assert stat.S_ISSOCK(mode)
    assert stat.S_IMODE(mode) == 0o600
    answer = watched.send(b"GET /status HTTP/1.1\r\n\r\n", local=True)
    state = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert (state["status"], state["pid"]) == ("ok", os.getpid())


def test_a_server_that_was_started_before_an_update_may_tell_less(
    watched: Watched,
) -> None:
    answer = watched.send(b"GET /status HTTP/1.1\r\n\r\n", local=True)
    state = json.loads(answer.partition(b"\r\n\r\n")[2])
    rows = _lines("my.db", state)
    del state["disk"]
    assert _lines("my.db", state) == [row for row in rows if "disk " not in row]
    assert len(rows) == len(_lines("my.db", state)) + 1


def test_the_socket_is_gone_when_the_door_is_closed(tmp_path: Path) -> None:
    watched = Watched(tmp_path)
    assert os.path.exists(watched.path)
    watched.stop()
    assert not os.path.exists(watched.path)


def test_a_port_that_is_taken_is_a_reason_not_to_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StatusError, match=f"port {port}: .* Choose another port$"):
            StatusDoor(None, port).bind()


# --- processes ----------------------------------------------------------------------


def served(folder: Path, *options: str, **others: Any) -> ServerProcess:
    write_database(folder / "in.db")
    return ServerProcess(
        folder,
        *("serve", "{input}", "{output}", "--port", "0", "--log", "{log}"),
        *("--code-cache", "none", *options),
        **others,
    )


def test_status_says_how_a_server_is(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.talker() as wizard:
        wizard.log_in("#3")
        wizard.eval("fork (1000) endfork return 1;")
        done = pymoo("status", server.output, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        rows = [line.split(maxsplit=1) for line in done.stdout.decode().splitlines()]
        shown = dict(rows)
        assert shown["status"] == "ok"
        assert shown["players"] == "1, 1 connection"
        assert re.fullmatch(
            r"written, \d+ records?, [\d.]+ (bytes|kB)", shown["journal"]
        )
        assert re.fullmatch(rf"[\d.,]+ [GMk]B free in {tmp_path}", shown["disk"])
        assert shown["tasks"] == "1 waiting, 0 of them ready"
        assert re.fullmatch(r"\d+ MB of \d+ MB", shown["memory"])
        assert shown["process"].startswith(f"{server.process.pid}, pymoo ")
        wizard.eval("dump_database(); return 1;")
        server.wait_for("finished$|finished\n")
        end = time.monotonic() + 30
        while True:
            done = pymoo("status", "out.db", "--json", folder=tmp_path)
            state = json.loads(done.stdout)
            if state["checkpoint"]:
                break
            assert time.monotonic() < end
        assert state["checkpoint"]["ok"]
        assert state["memory"]["taken"] > 10_000_000
        assert server.stop() == 0
    done = pymoo("status", "out.db", folder=tmp_path)
    assert done.returncode == 2
    assert done.stdout == b""
    assert b"out.db: no server answers: No such file or directory. " in done.stderr


def test_a_server_that_was_killed_is_not_there_and_leaves_room(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert server.port
        server.signal(signal.SIGKILL)
        server.end()
    done = pymoo("status", "out.db", "--json", folder=tmp_path)
    assert done.returncode == 2
    assert json.loads(done.stdout)["status"] == "not there"
    with served(tmp_path) as server:
        assert server.port
        assert pymoo("status", "out.db", folder=tmp_path).returncode == 0
        assert server.stop() == 0


def test_a_server_that_hangs_is_in_trouble(tmp_path: Path) -> None:
    with served(tmp_path) as server, server.talker() as wizard:
        wizard.log_in("#3")  # then its door for questions is open as well
        server.signal(signal.SIGSTOP)
        done = pymoo("status", "out.db", folder=tmp_path)
        server.signal(signal.SIGCONT)
        assert (done.returncode, done.stdout) == (1, b"")
        assert done.stderr == b"pymoo: out.db: the server does not answer\n"
        assert server.stop() == 0


def test_a_path_that_is_long_for_a_socket_is_no_matter(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a-long-name-of-a-folder"] * 6)
    folder.mkdir(parents=True)
    with served(folder) as server:
        assert server.port
        done = pymoo("status", server.output, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, b"")
        assert server.stop() == 0


def test_metrics_of_a_process(tmp_path: Path) -> None:
    with served(tmp_path, "--metrics-port", "0") as server:
        port = int(server.wait_for(r"LISTEN: metrics at 127.0.0.1, port (\d+)")[1])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        kinds = check_text(text)
        assert kinds["pymoo_memory_limit_bytes"] == GAUGE
        assert 'pymoo_connections_refused_total{limit="login_rate"} 0' in text
        # A checkpoint is written by a process that has the sockets as well.
        server.signal(signal.SIGUSR2)
        server.wait_for("finished")
        assert server.stop() == 0
