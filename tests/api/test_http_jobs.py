"""Jobs over HTTP: started, looked at, ended and removed."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.http_world import HttpWorld, Reply
from tests.jobs.test_moo import serve
from tests.server.processes import ServerProcess
from tests.server.talking import PATIENCE_S
from tests.workers.office import wait_until

TOKEN = "a-token-for-tests-of-jobs-0123"


class Client:
    """Whoever knows the token of a server."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        found = server.wait_for(r"LISTEN: HTTP requests at .*, port (\d+)")
        self.port = int(found[1])

    def ask(
        self, method: str, path: str, data: Any = None, token: str = TOKEN
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, PATIENCE_S)
        headers = {"Authorization": f"Bearer {token}", "Host": "localhost"}
        body = None
        if data is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(data)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        names = {name.lower(): text for name, text in answer.getheaders()}
        reply = Reply(answer.status, names, answer.read())
        connection.close()
        return reply

    def start(self, task: str, *arguments: Any) -> str:
        """Start a job; return where it is."""
        reply = self.ask("POST", "/v1/jobs", {"task": task, "args": [*arguments]})
        assert reply.status == 202, reply.body
        return reply.headers["taskqueue-location"]

    def end(self, place: str) -> Any:
        """Wait until a job is over; return it."""
        wait_until(lambda: self.ask("GET", place).json["finished"], "its end")
        return self.ask("GET", place).json


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("jobs")
    (folder / "token").write_text(TOKEN)
    (folder / "token").chmod(0o600)
    with serve(folder, "--http", "0", "--http-token-file", "token") as server:
        yield Client(server)


def test_o14_a_job_is_started_and_the_answer_says_where_it_is(client: Client) -> None:
    data = {"task": "tests.jobs.work:described", "args": [21]}
    reply = client.ask("POST", "/v1/jobs", data)
    assert reply.status == 202
    place = reply.headers["taskqueue-location"]
    assert re.fullmatch(r"/v1/jobs/[0-9]+", place)
    assert reply.headers["location"] == place
    assert place == f"/v1/jobs/{reply.json['id']}"
    assert (reply.json["state"], reply.json["result"]) == ("NotStarted", None)
    ended = client.end(place)
    assert (ended["state"], ended["result"], ended["percent"]) == ("Finished", 21, 100)
    # Row O-13: what the function says of it, metadata behind the rest.
    assert (ended["description"], ended["twice"]) == ("described with 21", 42)


def test_o07_arguments_are_values_of_the_world(client: Client) -> None:
    data = [1, 2.5, "x", {"obj": 3}, {"err": "E_PERM"}, [[]]]
    ended = client.end(client.start("note", data))
    assert ended["result"] == [1, 2.5, "x", {"obj": 3}, {"err": 3}, [[]]]


def test_o03_an_error_is_told_with_its_traceback(client: Client) -> None:
    ended = client.end(client.start("fail", "no luck"))
    assert (ended["state"], ended["result"]) == ("Exception", None)
    assert ended["error"].endswith("RuntimeError: no luck\n")


def test_o14_jobs_are_listed_and_filtered_by_state(client: Client) -> None:
    place = client.start("twice", 4)
    number = client.end(place)["id"]
    failed = client.end(client.start("fail", "x"))["id"]

    def listed(query: str) -> set[int]:
        reply = client.ask("GET", f"/v1/jobs{query}")
        assert reply.status == 200
        return {each["id"] for each in reply.json["jobs"]}

    assert {number, failed} <= listed("")
    assert number in listed("?state=Finished")
    assert failed not in listed("?state=finished")
    assert {number, failed} <= listed("?state=Finished&state=Exception")
    assert not {number, failed} & listed("?state=Running")


def test_o14_deleting_a_running_job_ends_it_and_a_finished_one_removes_it(
    client: Client,
) -> None:
    place = client.start("wait", 1_000_000)
    number = int(place.rpartition("/")[2])
    running = client.ask("DELETE", place)
    assert running.status == 200
    assert running.json == {"id": number, "removed": False, "state": "Aborted"}
    assert client.ask("GET", place).json["state"] == "Aborted"
    removed = client.ask("DELETE", place)
    assert (removed.status, removed.json) == (200, {"id": number, "removed": True})
    gone = client.ask("GET", place)
    assert gone.status == 404
    assert gone.error["message"].endswith(f"there is no job {number}")
    assert client.ask("DELETE", place).status == 404


def test_o14_a_task_of_the_world_waits_for_what_is_ended_there(client: Client) -> None:
    place = client.start("wait", 1_000_000)
    number = place.rpartition("/")[2]
    with client.server.talker() as wizard:
        wizard.log_in()
        wizard.type(f";try job_wait({number}); except e (ANY) return e[2]; endtry")
        assert wizard.eval("return length(queued_tasks());") == "1"
        client.ask("DELETE", place)
        client.ask("DELETE", place)
        assert wizard.read_line() in (
            f'"Job {number} was aborted"',
            f'"There is no job {number}"',
        )


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "message"),
    [
        ("POST", "/v1/jobs", [], 400, "the body is no JSON object"),
        ("POST", "/v1/jobs", {}, 400, '"task" must be a string, as in "module:name"'),
        ("POST", "/v1/jobs", {"task": "x", "args": 1}, 400, '"args" is no array'),
        ("POST", "/v1/jobs", {"task": "twice", "x": 1}, 400, '"x" is not known here'),
        ("POST", "/v1/jobs", {"task": "os:system"}, 400, "os:system: there is no such"),
        ("POST", "/v1/jobs", {"task": "twice"}, 400, "takes 1 argument, not 0"),
        ("POST", "/v1/jobs", {"task": "note", "args": ["\n"]}, 400, "character 1 of"),
        ("GET", "/v1/jobs?state=Lost", None, 400, 'there is no state "Lost"'),
        ("GET", "/v1/jobs?status=Running", None, 400, '"status" is not known here'),
        ("GET", "/v1/jobs/999999", None, 404, "there is no job 999999"),
        ("GET", "/v1/jobs/x", None, 404, "there is nothing at /v1/jobs/x"),
        ("DELETE", "/v1/jobs", None, 405, "only GET, HEAD, POST here"),
        ("POST", "/v1/jobs/1", {}, 405, "only GET, HEAD, DELETE here"),
    ],
)
def test_o14_what_cannot_be_done_is_refused(
    client: Client, method: str, path: str, data: Any, status: int, message: str
) -> None:
    reply = client.ask(method, path, data)
    assert reply.status == status
    assert message in reply.error["message"]


def test_o14_all_of_it_needs_the_token(client: Client) -> None:
    place = client.start("twice", 4)
    for method, path in (("POST", "/v1/jobs"), ("GET", "/v1/jobs"), ("DELETE", place)):
        reply = client.ask(method, path, {} if method == "POST" else None, token="x")
        assert reply.status == 401
    assert client.ask("GET", place).status == 200


def test_o14_without_the_option_the_answer_names_it(tmp_path: Path) -> None:
    world = HttpWorld(tmp_path)
    try:
        reply = world.ask("GET", "/v1/jobs")
    finally:
        world.stop()
    assert reply.status == 404
    assert reply.error["message"] == (
        "there are no jobs: start the server with --jobs MODULE"
    )
