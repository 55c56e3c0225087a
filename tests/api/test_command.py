"""``pymoo call`` and ``pymoo serve --http``, as processes."""

from __future__ import annotations

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.http_world import TOKEN, request
from tests.server.online import write_database
from tests.server.processes import ServerProcess, pymoo
from tests.server.talking import PATIENCE_S

VERBS = {
    "back": "return args;",
    "fail": 'notify(player, "first"); raise(E_PERM, "Not for you.", 5);',
    "nap": "suspend();",
    "set": "#0.mark = args[1]; return #0.mark;",
    "loop": "while (1) endwhile",
    "dump": "dump_database(); return 1;",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_database(tmp_path / "MyMOO.db", verbs=VERBS)
    return tmp_path


def call(folder: Path, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    return pymoo("call", *arguments, folder=folder)


def shown(done: subprocess.CompletedProcess[bytes]) -> tuple[int, str, str]:
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_m03_a_verb_is_called_from_the_shell(folder: Path) -> None:
    done = call(folder, "MyMOO.db", "#0:back", "{1, 2.0}", '"x"', "#-1", "-5")
    assert shown(done) == (0, '{{1, 2.0}, "x", #-1, -5}\n', "")


def test_an_error_is_printed_with_its_traceback(folder: Path) -> None:
    done = call(folder, "MyMOO.db", "#0:fail", "--player", "#3")
    assert shown(done) == (
        1,
        "",
        "first\n#0:fail, line 2:  Not for you.\n(End of traceback)\n",
    )
    done = call(folder, "MyMOO.db", "#0:nap", "--timeout", "0.1")
    assert done.returncode == 1
    assert b"no answer within 0.1 s" in done.stderr


def test_everything_is_json_if_asked(folder: Path) -> None:
    done = call(folder, "MyMOO.db", "#0:back", "{1, 2.0}", "--json")
    answer = json.loads(done.stdout)
    assert answer.pop("task_id") > 0
    assert answer == {"value": [[1, 2.0]], "output": []}
    done = call(folder, "MyMOO.db", "#0:fail", "--json", "--player", "#3")
    assert done.returncode == 1
    answer = json.loads(done.stdout)
    assert answer["error"]["code"] == {"err": "E_PERM"}
    assert answer["error"]["value"] == 5
    assert answer["output"][0] == "first"
    assert done.stderr == b""


def test_the_file_is_changed_only_if_asked(folder: Path) -> None:
    path = folder / "MyMOO.db"
    before = path.read_bytes()
    assert call(folder, "MyMOO.db", "#0:set", "5").returncode == 0
    assert path.read_bytes() == before
    assert call(folder, "MyMOO.db", "#0:set", "5", "--save").returncode == 0
    assert path.read_bytes() != before
    assert (
        path.with_name("MyMOO.db.backups").joinpath("original.db").read_bytes()
        == before
    )


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("MyMOO.db", "#0:back", "foo"), "A string needs quotes of its own"),
        (("MyMOO.db", "#0:back", "--nonsense"), "not a literal: --nonsense"),
        (("MyMOO.db", "back"), "names no verb: write it like '#2:look'"),
        (("MyMOO.db", "#0:"), "names no verb"),
        (("MyMOO.db",), "give a database and a verb"),
        (("nothing.db", "#0:back"), "cannot be read"),
        (("MyMOO.db", "#0:back", "--player", "me"), "me: is no object"),
        (("MyMOO.db", "#0:back", "4294967296"), "does not fit into 32 bits"),
        (("MyMOO.db", "#0:back", "--token-file", "x"), "of no use without --url"),
        (("#0:back", "--url", "http://localhost:1"), "--url needs --token-file"),
        (("#0:back", "--url", "x", "--save"), "a server saves its database itself"),
    ],
)
def test_wrong_usage_says_how_to_do_better(
    folder: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    status, output, errors = shown(call(folder, *arguments))
    assert (status, output) == (2, "")
    assert complaint in " ".join(errors.split())


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        ("#0:nosuch", "pymoo: #0:nosuch: there is no such verb that can be called\n"),
        ("#99:back", "pymoo: #99: there is no such object\n"),
    ],
)
def test_what_cannot_be_called_is_named(
    folder: Path, target: str, complaint: str
) -> None:
    assert shown(call(folder, "MyMOO.db", target)) == (1, "", complaint)


# --- a server with a door -----------------------------------------------------------


@pytest.fixture
def served(folder: Path) -> Iterator[ServerProcess]:
    arguments = (
        *("serve", "MyMOO.db", "--port", "0", "--log", "{log}"),
        *("--http", "0", "--http-token-file", "token"),
    )
    with ServerProcess(folder, *arguments) as process:
        yield process


def http_port(served: ServerProcess) -> int:
    found = served.wait_for(r"LISTEN: HTTP requests at 127\.0\.0\.1, port (\d+)")
    return int(found[1])


def remote(served: ServerProcess, *arguments: str) -> tuple[int, str, str]:
    url = f"http://localhost:{http_port(served)}"
    return shown(call(served.folder, "--url", url, "--token-file", "token", *arguments))


def test_m03_a_verb_of_a_running_server_is_called(served: ServerProcess) -> None:
    assert remote(served, "#0:back", "{1, 2.0}") == (0, "{{1, 2.0}}\n", "")
    assert remote(served, "#0:set", "7") == (0, "7\n", "")
    assert remote(served, "#0:nosuch") == (
        *(1, ""),
        "pymoo: #0:nosuch: there is no such verb that can be called\n",
    )
    assert remote(served, "#0:fail", "--player", "#3") == (
        1,
        "",
        "first\n#0:fail, line 2:  Not for you.\n(End of traceback)\n",
    )
    status, _, errors = remote(served, "#0:nap", "--timeout", "0.1")
    assert (status, "no answer within 0.1 s" in errors) == (1, True)
    status, _, errors = remote(served, "#0:loop")
    assert (status, "ran out of ticks" in errors) == (1, True)
    status, _, errors = remote(served, "#0:back", "4294967296")
    assert (status, "refused (400)" in errors) == (2, True)
    status, _, errors = remote(served, "#0:back", "--timeout", "1000")
    assert (status, "300 seconds at most" in errors) == (2, True)
    assert served.stop() == 0
    done = call(served.folder, "MyMOO.db", "#0:back", "1")  # it was saved
    assert done.returncode == 0


def test_with_another_token_nothing_is_called(served: ServerProcess) -> None:
    port = http_port(served)
    other = served.folder / "other"
    other.write_text(TOKEN, encoding="ascii")
    other.chmod(0o600)
    status, output, errors = shown(
        call(
            served.folder,
            *("--url", f"http://127.0.0.1:{port}", "--token-file", "other"),
            "#0:back",
        )
    )
    assert (status, output) == (2, "")
    assert "refused (401): the token is missing or wrong" in errors


@pytest.mark.parametrize("url", ["localhost:1", "http://", "ftp://x", "http://x:y"])
def test_what_is_no_address_is_refused(served: ServerProcess, url: str) -> None:
    http_port(served)
    done = call(served.folder, "--url", url, "--token-file", "token", "#0:back")
    assert done.returncode == 2
    assert b"is no address" in done.stderr


def test_a_server_that_is_not_there_is_said_so(served: ServerProcess) -> None:
    port = http_port(served)
    assert served.stop() == 0
    done = call(
        served.folder,
        *("--url", f"http://localhost:{port}", "--token-file", "token", "#0:back"),
    )
    assert done.returncode == 2
    assert b"Is `pymoo serve --http` running there?" in done.stderr


def test_the_port_for_players_is_told_from_that_for_http(
    served: ServerProcess,
) -> None:
    url = f"http://localhost:{served.port}"
    done = call(served.folder, "--url", url, "--token-file", "token", "#0:back")
    assert shown(done) == (
        2,
        "",
        f"pymoo: {url}: what answers there does not speak HTTP. Is it the port of "
        "`pymoo serve --http`, or the one for players?\n",
    )


def test_what_answers_and_is_no_pymoo_is_said_so(folder: Path) -> None:
    write = folder / "token"
    write.write_text(TOKEN, encoding="ascii")
    write.chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        script = (
            "import socket, sys\n"
            "sock = socket.socket(fileno=int(sys.argv[1]))\n"
            "peer, _ = sock.accept()\n"
            "peer.recv(65536)\n"
            "peer.sendall(b'HTTP/1.0 200 OK\\r\\n\\r\\n<html>')\n"
            "peer.close()\n"
        )
        import sys

        with subprocess.Popen(
            [sys.executable, "-c", script, str(listener.fileno())],
            pass_fds=[listener.fileno()],
        ):
            done = call(
                folder,
                *("--url", f"http://localhost:{port}", "--token-file", "token"),
                "#0:back",
            )
    assert done.returncode == 2
    assert b"answered with status 200: not JSON" in done.stderr


def test_a_checkpoint_lets_go_of_http_clients(served: ServerProcess) -> None:
    """The process that writes it holds no connection open, and no port."""
    port = http_port(served)
    token = (served.folder / "token").read_text(encoding="ascii").strip()
    with socket.create_connection(("localhost", port), PATIENCE_S) as client:
        client.sendall(
            request(
                "POST",
                "/v1/call",
                {"obj": "#0", "verb": "dump"},
                Authorization=f"Bearer {token}",
                Connection="close",
            )
        )
        received = b""
        while part := client.recv(65_536):
            received += part
    assert b'"value": 1' in received
    served.wait_for("CHECKPOINTING on .* finished")
    assert remote(served, "#0:back") == (0, "{}\n", "")
    assert "BUG" not in served.log


def test_without_http_there_is_no_door(folder: Path) -> None:
    with ServerProcess(
        folder, "serve", "MyMOO.db", "--port", "0", "--log", "{log}"
    ) as s:
        assert s.port
        assert s.stop() == 0
        assert "HTTP" not in s.log


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--http", "0"), "--http needs --http-token-file"),
        (("--http-token-file", "x"), "of no use without --http"),
        (("--http", "0", "--http-token-file", "MyMOO.db"), "no secret"),
        (
            ("--http", "0", "--http-token-file", "t", "--http-host", "192.0.2.1"),
            "Choose another port or address",
        ),
    ],
)
def test_a_door_that_cannot_be_had_keeps_the_server_from_starting(
    folder: Path, arguments: tuple[str, ...], complaint: str
) -> None:
    (folder / "MyMOO.db").chmod(0o644)
    done = pymoo("serve", "MyMOO.db", "--port", "0", *arguments, folder=folder)
    assert done.returncode == 2
    assert complaint in re.sub(r"\s+", " ", done.stderr.decode())
