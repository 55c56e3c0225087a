"""Runs the cases of moo-conformance-tests over connections.

A program goes to the ``eval`` of the room, which prints its answer between two
markers.  Cases of one file share a server and what they leave in its database; each
file has a new one, so that results do not depend on what else is run.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from attrs import define, field

from pymoo.conform.cases import Comparison, Difference, Result
from pymoo.conform.literals import (
    NotALiteralError,
    Word,
    split_list,
)
from pymoo.conform.profiles import Profile
from pymoo.conform.servers import (
    LineReader,
    LinkClosedError,
    RunningServer,
    ServerUnusableError,
    SpawnedServer,
)
from pymoo.conform.toast_expect import Outcome, judge, judge_output
from pymoo.conform.workbench import Workbench
from pymoo.values import string_literal

if TYPE_CHECKING:
    from pymoo.conform.toast import ToastCase, ToastFile

PREFIX: Final = "-=!-^-!=-"
SUFFIX: Final = "-=!-v-!=-"
_TIMEOUT_S: Final = 5.0
_LOGIN_S: Final = 10.0
_FIRST_S: Final = 0.5
_QUIET_S: Final = 0.1
_TELNET: Final = re.compile(rb"\xff(?:[\xfb-\xfe].|[\xf0-\xfa])", re.DOTALL)
_OBJECT: Final = re.compile(r"#-?\d+")
_ERROR: Final = re.compile(r"E_[A-Z]+")
_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_STATEMENT: Final = re.compile(r"(if|for|while|try)\b")
_PLAYER_NAMES: Final = {"wizard": "Wizard", "programmer": "Programmer"}


class _CaseStop(Exception):
    """A step could not be done; the text says why."""


@define
class _World:
    """A server and who is connected to it."""

    server: RunningServer
    readers: dict[str, LineReader] = field(factory=dict)
    builtins: set[str] = field(factory=set)

    def close(self) -> None:
        for reader in self.readers.values():
            reader.link.close()
        self.readers.clear()

    def reader(self, permission: str) -> LineReader:
        """Return the connection of a player, logged in when first asked for."""
        if permission not in self.readers:
            reader = self.readers[permission] = LineReader(self.server.connect())
            name = _PLAYER_NAMES.get(permission, permission)
            reader.send_line(f"connect {name}")
            reader.send_line(f"PREFIX {PREFIX}")
            reader.send_line(f"SUFFIX {SUFFIX}")
            if self.ask(permission, "1", _LOGIN_S).kind != "value":
                raise ServerUnusableError(
                    f"the server does not let {name} in, or has no eval: has it "
                    "loaded the database of these cases?"
                )
        return self.readers[permission]

    def between_marks(
        self, reader: LineReader, timeout_s: float
    ) -> tuple[list[str], bool]:
        """Return the lines of an answer, and whether it was complete."""
        lines: list[str] = []
        begun = False
        deadline = self.server.now() + timeout_s
        while self.server.now() < deadline:
            for line in reader.lines(0.1):
                if line == PREFIX:
                    begun = True
                elif line == SUFFIX:
                    # One without anything before it is that of a suspended task.
                    if lines:
                        return lines, True
                elif begun:
                    lines.append(line)
        return lines, False

    def ask(self, permission: str, code: str, timeout_s: float = _TIMEOUT_S) -> Outcome:
        """Run a program as a player."""
        reader = self.reader(permission)
        reader.send_line(f"; return {code};" if code.isdigit() else f"; {code}")
        lines, complete = self.between_marks(reader, timeout_s)
        if not complete:
            return Outcome("nothing", " / ".join(lines))
        return _outcome(lines)

    def learn_builtins(self) -> None:
        """Ask which functions there are."""
        outcome = self.ask(
            "wizard",
            "r = {}; for f in (function_info()) r = {@r, f[1]}; endfor return r;",
        )
        if outcome.kind == "value":
            self.builtins = {str(name) for name in outcome.data}


def _outcome(lines: list[str]) -> Outcome:
    *before, answer = lines
    seen = tuple(before)
    answer = answer.removeprefix("=> ")
    if _ERROR.fullmatch(answer):
        return Outcome("error", answer, seen)
    try:
        status, value = split_list(answer)
    except (NotALiteralError, ValueError):
        return Outcome("nothing", " / ".join(lines), seen)
    if status == "2":
        return Outcome("error", split_list(value)[0], seen)
    return Outcome("value" if status == "1" else "compile", value, seen)


def play_cases(
    cases: Sequence[ToastCase], world: bytes, profile: Profile, bench: Workbench
) -> Iterator[Result]:
    """Run cases one after the other; the server is started again if it dies."""
    from pymoo.conform.toast import reason_to_skip

    state: _World | None = None
    begun: ToastFile | None = None
    failed: set[str] = set()
    try:
        for case in cases:
            missing = _needed(case) & failed
            other = case.file.row.get("server_db")
            if other or missing:
                reason = (
                    f"needs the database {other}"
                    if other
                    else (f"{', '.join(sorted(missing))} failed")
                )
                yield Result(case, skipped=reason)
                continue
            start = time.monotonic()
            comparison = Comparison()
            try:
                if state is None:
                    state = _World(bench.server(world, fresh=True))
                    state.learn_builtins()
                    begun = None
                reason = reason_to_skip(
                    case, profile, state.builtins, state.server.folder is not None
                )
                if reason:
                    yield Result(case, skipped=reason)
                    continue
                if begun is not case.file:
                    begun = case.file
                    _set_up(case.file, state)
                _Player(case, state, comparison).play()
            except _CaseStop as stop:
                comparison.verdict("value", False, "a step that works", str(stop))
            except NotALiteralError as error:
                comparison.verdict("value", False, "a value", f"no literal {error}")
            except LinkClosedError as error:
                comparison.differences.append(
                    Difference("value", "an answer", f"connection lost: {error}")
                )
                if state is not None:
                    state.close()
                state = None
                bench.discard()
            if comparison.differences:
                failed |= _provided(case)
            yield Result(
                case,
                tuple(comparison.checked),
                tuple(comparison.differences),
                seconds=time.monotonic() - start,
            )
    finally:
        if state is not None:
            state.close()


def _names(row: Mapping[str, Any], key: str) -> set[str]:
    value = row.get(key) or []
    return {str(each) for each in (value if isinstance(value, list) else [value])}


def _needed(case: ToastCase) -> set[str]:
    return _names(case.row, "assumes") | _names(case.file.row, "assumes")


def _provided(case: ToastCase) -> set[str]:
    return _names(case.row, "provides") | _names(case.file.row, "provides")


def _set_up(file: ToastFile, state: _World) -> None:
    setup = file.row.get("setup")
    if not setup:
        return
    permission, code = _setup_parts(setup)
    for line in code.splitlines():
        if line.strip():
            state.ask(permission, line.strip())


def _setup_parts(setup: Any) -> tuple[str, str]:
    if isinstance(setup, dict):
        return str(setup.get("permission", "programmer")), str(setup["code"])
    return "programmer", str(setup)


def _flat(code: str) -> str:
    return " ".join(line.strip() for line in code.splitlines() if line.strip())


def _finished(code: str) -> str:
    return code if code.rstrip().endswith(";") else f"{code};"


def moo_literal(value: Any) -> str:
    """Return data of YAML, or a captured answer, as a MOO literal."""
    if isinstance(value, Word):
        return value.text
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        is_bare = _OBJECT.fullmatch(value) or _ERROR.fullmatch(value)
        return value if is_bare else string_literal(value)
    if isinstance(value, dict):
        pairs = (f"{moo_literal(k)} -> {moo_literal(v)}" for k, v in value.items())
        return f"[{', '.join(pairs)}]"
    if value is None:
        return "0"
    return "{" + ", ".join(map(moo_literal, value)) + "}"


class _Player:
    """Plays one case."""

    def __init__(self, case: ToastCase, state: _World, comparison: Comparison) -> None:
        self._case: Final = case
        self._state: Final = state
        self._comparison: Final = comparison
        self._permission = case.permission
        self._captured: dict[str, Any] = {}
        self._connections: dict[str, LineReader] = {}
        self._timeout_s = max(_TIMEOUT_S, case.row.get("timeout_ms", 0) / 1000)
        self._log_start = len(state.server.log())

    def play(self) -> None:
        row = self._case.row
        try:
            if "steps" in row:
                for step in row["steps"]:
                    self._step(step)
                if not self._comparison.checked:
                    self._comparison.verdict("value", True, "", "")
            else:
                self._judge(row.get("expect"), self._ask(self._program()))
        finally:
            self._clean_up()

    def _program(self) -> str:
        row = self._case.row
        if "code" in row:
            code = _flat(str(row["code"]))
            code = _finished(code if code.startswith("return ") else f"return {code}")
        elif "statement" in row:
            code = _finished(_flat(str(row["statement"])))
        elif "verb" in row:
            arguments = ", ".join(moo_literal(each) for each in row.get("args", ()))
            code = f"return {row['verb']}({arguments});"
        else:
            raise _CaseStop("the case has neither code nor statement, verb or steps")
        if row.get("setup"):
            code = f"{_finished(_flat(_setup_parts(row['setup'])[1]))} {code}"
        return code

    def _ask(self, code: str) -> Outcome:
        return self._state.ask(self._permission, code, self._timeout_s)

    def _judge(self, expect: Any, outcome: Outcome) -> None:
        def satisfies(expression: str, literal: str) -> Outcome:
            return self._ask(f"__actual__ = {literal}; return {expression};")

        judge(expect, outcome, self._comparison, satisfies)

    def _clean_up(self) -> None:
        for reader in self._connections.values():
            reader.link.close()
        row = self._case.row
        if "teardown" in row:
            permission, code = _setup_parts(row["teardown"])
            for line in code.splitlines():
                if line.strip():
                    self._state.ask(permission, line.strip())
        for step in row.get("cleanup") or ():
            self._permission = step.get("as", self._permission)
            self._ask(self._runnable(self._placed(str(step["run"]))))

    # --- steps --------------------------------------------------------------

    def _placed(self, text: str) -> str:
        return _PLACE.sub(
            lambda match: (
                moo_literal(self._captured[match[1]])
                if match[1] in self._captured
                else match[0]
            ),
            text,
        )

    @staticmethod
    def _runnable(code: str) -> str:
        code = _flat(code)
        if "return " in code or _STATEMENT.match(code):
            return _finished(code)
        return f"return {code.rstrip(';')};"

    def _step(self, step: Mapping[str, Any]) -> None:
        self._permission = step.get("as", self._permission)
        expect = step.get("expect")
        if isinstance(expect, dict):
            expect = self._placed_in(expect)
        action = next((key for key in _ACTIONS if key in step), None)
        if action is None:
            raise _CaseStop(f"an unknown step {sorted(step)}")
        argument = step[action]
        match action:
            case "run":
                outcome = self._ask(self._runnable(self._placed(str(argument))))
                if outcome.kind == "value" and "capture" in step:
                    self._captured[step["capture"]] = outcome.data
                elif outcome.kind == "error" and "capture" in step:
                    self._captured[step["capture"]] = Word(outcome.literal)
                if expect is not None or outcome.kind != "value":
                    self._judge(expect, outcome)
            case "verb_setup":
                outcome = self._ask(self._verb_setup(argument))
                if outcome.kind != "value":
                    raise _CaseStop(f"verb_setup: {outcome}")
            case "wait":
                self._state.server.sleep(float(argument) / 1000)
            case "allocate_port":
                self._captured[str(argument)] = _unused_port()
            case "assert_log":
                self._assert_log(argument)
            case "assert_file":
                self._assert_file(argument)
            case "write_file":
                self._path(argument["path"]).write_text(
                    self._placed(str(argument["content"])), "utf-8"
                )
            case "write_stdin":
                self._spawned().write_stdin(str(argument))
            case "restart_server":
                self._restart(argument or {})
            case "wait_for_server_exit":
                self._wait_for_exit(argument or {})
            case _:
                lines = self._exchange(action, argument)
                if isinstance(step.get("capture"), str) and action != "new_connection":
                    self._captured[step["capture"]] = "\n".join(lines)
                if isinstance(expect, dict) and "output" in expect:
                    judge_output(expect["output"], lines, self._comparison)

    def _placed_in(self, expect: dict[str, Any]) -> dict[str, Any]:
        """Put captured values into the texts of an expectation."""
        found: dict[str, Any] = {}
        for key, value in expect.items():
            if isinstance(value, str):
                whole = _PLACE.fullmatch(value)
                if whole and whole[1] in self._captured:
                    captured = self._captured[whole[1]]
                    value = captured.text if isinstance(captured, Word) else captured
                else:
                    value = self._placed(value)
            found[key] = value
        return found

    def _verb_setup(self, row: Mapping[str, Any]) -> str:
        object_ = self._placed(str(row["object"]))
        name = string_literal(str(row["name"]))
        arguments = row.get("args", "this none this")
        words = arguments.split() if isinstance(arguments, str) else arguments
        code = row["code"]
        lines = code.splitlines() if isinstance(code, str) else code
        listed = moo_literal_list([self._placed(str(line)) for line in lines])
        specs = moo_literal_list(words)
        return (
            f'add_verb({object_}, {{player, "xd", {name}}}, {specs}); '
            f"return set_verb_code({object_}, {name}, {listed});"
        )

    def _exchange(self, action: str, argument: Any) -> list[str]:
        """Do a step that speaks on a connection; return what was said there."""
        match action:
            case "command":
                reader = self._state.reader(self._permission)
                reader.send_line(self._placed(str(argument)))
                lines, _ = self._state.between_marks(reader, 1.0)
                return lines
            case "new_connection":
                row = argument if isinstance(argument, dict) else {"capture": argument}
                port = self._placed(str(row["port"])) if "port" in row else None
                reader = LineReader(
                    self._state.server.connect(int(port) if port else None)
                )
                self._connections[str(row["capture"])] = reader
                return self._listen(reader)
            case "read_connection":
                return self._listen(self._connection(str(argument)))
            case "close_connection":
                self._connection(str(argument)).link.close()
                del self._connections[str(argument)]
                return []
            case "send":
                reader = self._connection(str(argument["connection"]))
                reader.send_line(self._placed(str(argument["text"])))
                return self._listen(reader)
            case _:
                reader = self._connection(str(argument["connection"]))
                reader.link.send(bytes.fromhex(str(argument["hex"])))
                return self._listen(reader)

    def _connection(self, name: str) -> LineReader:
        name = name.strip("{}")
        if name not in self._connections:
            raise _CaseStop(f"there is no connection {name!r}")
        return self._connections[name]

    def _listen(self, reader: LineReader) -> list[str]:
        """Return what comes until it is quiet."""
        lines: list[str] = []
        wait_s = _FIRST_S
        server = self._state.server
        last = server.now()
        try:
            while server.now() - last < wait_s:
                before = len(reader.received)
                lines += reader.lines(wait_s)
                if len(reader.received) != before:
                    last, wait_s = server.now(), _QUIET_S
        except LinkClosedError:
            # What it said before it hung up is what the case is about.
            return _without_telnet(lines)
        return _without_telnet(lines)

    # --- the server's surroundings ------------------------------------------

    def _spawned(self) -> SpawnedServer:
        server = self._state.server
        if not isinstance(server, SpawnedServer):
            raise _CaseStop("only a server that was started by a command has that")
        return server

    def _path(self, name: str) -> Any:
        folder = self._state.server.folder
        if folder is None:
            raise _CaseStop("the server's files cannot be looked at")
        path = (folder / self._placed(str(name)).strip('"')).resolve()
        if not path.is_relative_to(folder):
            raise _CaseStop(f"{name} is not below the server's folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def _assert_log(self, row: Mapping[str, Any]) -> None:
        log = self._state.server.log()[self._log_start :]
        for text in _texts(row.get("contains")):
            wanted = self._placed(text)
            self._comparison.verdict(
                "output", wanted in log, f"the log has {wanted!r}", log[-300:]
            )
        for text in _texts(row.get("not_contains")):
            wanted = self._placed(text)
            self._comparison.verdict(
                "output", wanted not in log, f"the log has no {wanted!r}", log[-300:]
            )

    def _assert_file(self, row: Mapping[str, Any]) -> None:
        if "suspended_task" in row:
            raise _CaseStop("a task in ToastStunt's file format cannot be looked at")
        path = self._path(row["path"])
        wanted = bool(row.get("exists", True))
        deadline = time.monotonic() + row.get("timeout_ms", 0) / 1000
        while path.exists() != wanted and time.monotonic() < deadline:
            time.sleep(0.05)
        self._comparison.part("output", f"exists {wanted}", f"exists {path.exists()}")
        if not path.exists():
            return
        content = path.read_text("latin-1")
        for text in _texts(row.get("contains")):
            self._comparison.verdict(
                "output", self._placed(text) in content, text, content[:300]
            )
        if "equals_file" in row:
            other = self._path(row["equals_file"]).read_text("latin-1")
            self._comparison.part("output", other, content)

    def _restart(self, row: Mapping[str, Any]) -> None:
        self._state.close()
        try:
            self._state.server.restart(row.get("down_ms", 0) / 1000)
        except ServerUnusableError as error:
            raise _CaseStop(str(error)) from error
        self._state.server.sleep(row.get("wait_ms", 0) / 1000)

    def _wait_for_exit(self, row: Mapping[str, Any]) -> None:
        status = self._state.server.wait_for_exit(row.get("timeout_ms", 5000) / 1000)
        if "exit_code" in row:
            self._comparison.part("value", row["exit_code"], status)
        else:
            is_abort = status is not None and status < 0
            wanted = is_abort if "termination" in row else status is not None
            self._comparison.verdict("value", wanted, "an end", f"status {status}")


_ACTIONS: Final = (
    "run command verb_setup allocate_port new_connection send send_bytes "
    "read_connection close_connection wait assert_log assert_file write_file "
    "write_stdin restart_server wait_for_server_exit"
).split()


def moo_literal_list(values: Sequence[Any]) -> str:
    """Return a list of strings as a MOO literal, whatever they look like."""
    return "{" + ", ".join(string_literal(str(value)) for value in values) + "}"


def _texts(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _without_telnet(lines: Sequence[str]) -> list[str]:
    return [
        _TELNET.sub(b"", line.encode("latin-1")).decode("latin-1") for line in lines
    ]


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        number: int = probe.getsockname()[1]
    return number
