"""Emergency wizard mode: commands from a terminal, before the world is online.

Nothing of the task queue runs meanwhile.  Unlike in the C server, which goes on
asking for ever, the end of the input means ``quit``; in a rescue, which no server
follows, it means ``abort``, and there is no ``continue``.

Source: server.c, emergency_mode.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from enum import Enum
from typing import BinaryIO, Final

from pymoo.db.objects import FLAG_WIZARD
from pymoo.errors import MooSyntaxError
from pymoo.interp.activation import DEBUG_EVAL
from pymoo.interp.vm import Aborted, Blocked, Done
from pymoo.interp.words import split_words
from pymoo.server.app import Server
from pymoo.tasks.programming import Programming, find_verb_for_programming
from pymoo.values import NOTHING, Obj, fold, literal

_GREETING: Final = """
LambdaMOO Emergency Holographic Wizard Mode
-------------------------------------------
"Please state the nature of the wizardly emergency..."
(Type `help' for assistance.)
"""

_HELP: Final = """\
;EXPR                 Evaluate MOO expression, print result.
;;CODE	              Execute whole MOO verb, print result.
    (For above, omitting EXPR or CODE lets you enter several lines
     of input at once; type a period alone on a line to finish.)
program OBJ:VERB      Set the MOO code of an existing verb.
list OBJ:VERB         List the MOO code of an existing verb.
disassemble OBJ:VERB  List the internal form of an existing verb.
debug                 Toggle evaluation with(out) `d' bit.
wizard #XX            Execute future commands as wizard #XX.
continue              End emergency mode, continue start-up.
quit                  Exit server normally, saving database.
abort                 Exit server *without* saving database.
help, ?               Print this text.

NOTE: *NO* forked or suspended tasks will run until you exit this mode.

"Please remember to turn me off when you go..."
"""

_HELP_ON_CONTINUE: Final = """\
continue              End emergency mode, continue start-up.
"""

_OBJECT_NUMBER: Final = re.compile(r"#\s*([+-]?\d+)")


class Ending(Enum):
    """What is to be done after emergency mode; the value is said at the end."""

    CONTINUE = "continuing"
    QUIT = "saving database"
    ABORT = "NOT saving database"


@contextmanager
def terminal() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """Yield standard input and output; one that is closed is empty, or takes all.

    Output is not buffered: what cannot be written is not tried again at the end.
    """
    with ExitStack() as stack:
        nothing = stack.enter_context(open(os.devnull, "r+b", buffering=0))
        sink: BinaryIO = nothing
        if sys.stdout is not None:
            number = sys.stdout.fileno()
            sink = stack.enter_context(open(number, "wb", buffering=0, closefd=False))
        yield nothing if sys.stdin is None else sys.stdin.buffer, sink


class _EndOfInputError(EOFError):
    """There is nothing more to read."""


class EmergencyMode:
    """A dialogue with one terminal."""

    def __init__(
        self,
        server: Server,
        source: BinaryIO,
        sink: BinaryIO,
        *,
        encoding: str = "latin-1",
        is_rescue: bool = False,
    ) -> None:
        """With ``is_rescue`` there is no server to go on with."""
        self._is_rescue: Final = is_rescue
        self._server: Final = server
        self._engine: Final = server.engine
        self._source: Final = source
        self._sink: Final = sink
        self._encoding: Final = encoding
        self._wizard = NOTHING
        self._debug = True

    def run(self) -> Ending:
        """Take commands until one of them, or the end of the input, ends the mode."""
        connections = self._server.connections
        self._server.log("EMERGENCY_MODE: Entering mode...")
        connections.emergency = self._show_notification
        self._say(_GREETING)
        ending: Ending | None = None
        while ending is None:
            self._find_wizard()
            self._write(f"\nMOO ({self._wizard}){'' if self._debug else '[!d]'}: ")
            try:
                ending = self._command(self._read_line())
            except _EndOfInputError:
                ending = Ending.ABORT if self._is_rescue else Ending.QUIT
            except Exception as error:  # noqa: BLE001  (a bug ends one command alone)
                self._server.log_file.bug("doing an emergency command", error)
                self._say("** A bug in pymoo has ended this command: see the log.")
        self._say(f"Bye.  ({ending.value})\n")
        connections.emergency = None
        if ending is not Ending.ABORT:
            will = "will" if ending is Ending.CONTINUE else "won't"
            self._server.log(f"EMERGENCY_MODE: Leaving mode; {will} continue...")
        return ending

    # --- the terminal -------------------------------------------------------

    def _write(self, text: str) -> None:
        # A terminal that has gone takes no answers; the commands are still done.
        with suppress(OSError):
            self._sink.write(text.encode(self._encoding, "replace"))
            self._sink.flush()

    def _say(self, line: str) -> None:
        self._write(f"{line}\n")

    def _read_line(self) -> str:
        line = self._source.readline()
        if not line:
            raise _EndOfInputError
        text = line.removesuffix(b"\n").decode(self._encoding, "replace")
        return text.lstrip(" ")

    def _read_code(self) -> list[str]:
        lines: list[str] = []
        while (line := self._read_line()) != ".":
            lines.append(line)
        return lines

    def _show_notification(self, player: Obj, text: str) -> None:
        self._say(f"{player} <- {text}")

    # --- who gives the commands ---------------------------------------------

    def _find_wizard(self) -> None:
        world = self._engine.world
        if world.is_wizard(self._wizard):
            return
        if self._wizard >= 0:
            self._say(f"** Object {self._wizard} is not a wizard...")
        everybody = [Obj(number) for number in range(world.max_object + 1)]
        wizards = filter(world.is_wizard, everybody)
        wizard = next(wizards, None)
        if wizard is None:
            wizard = next(filter(world.valid, everybody), None)
            if wizard is None:
                wizard = world.create(NOTHING)
                self._say(f"** No objects in database; created {wizard}.")
            world.set_flag(wizard, FLAG_WIZARD, True)
            self._say(f"** No wizards in database; wizzed {wizard}.")
        self._wizard = wizard
        self._say(f"** Now running emergency commands as {wizard} ...")

    # --- commands -----------------------------------------------------------

    def _command(self, line: str) -> Ending | None:
        """Do what ``line`` says; the result ends the mode."""
        if line.startswith(";"):
            self._evaluate(line[1:])
            return None
        words = split_words(line)
        if not words:
            return None
        match [fold(words[0]), *words[1:]]:
            case ["program" | ".program", text]:
                self._program(text)
            case ["list", text]:
                self._list(text)
            case ["disassemble", text]:
                self._disassemble(text)
            case ["abort"]:
                return Ending.ABORT
            case ["quit"]:
                return Ending.QUIT
            case ["continue"] if self._is_rescue:
                self._say("** No server follows: `quit' saves, `abort' does not.")
            case ["continue"]:
                return Ending.CONTINUE
            case ["debug"]:
                self._debug = not self._debug
            case ["wizard", text] if number := _OBJECT_NUMBER.match(text):
                self._wizard = Obj(int(number[1]))
                self._say(f"** Switching to wizard {self._wizard}...")
            case [command, *_]:
                if command not in ("help", "?"):
                    self._say("** Unknown or malformed command.")
                help_text = _HELP
                if self._is_rescue:
                    help_text = _HELP.replace(_HELP_ON_CONTINUE, "")
                self._write(help_text)
        return None

    def _evaluate(self, text: str) -> None:
        if text.startswith(";"):
            text, code = text[1:], []
        else:
            code = ["return"]
        text = text.lstrip(" ")
        if text:
            code.append(text)
        else:
            self._say(
                "Type one or more lines of code, ending with `.' alone on a line."
            )
            code += self._read_code()
        code.append(";")
        try:
            program = self._engine.compile("".join(f"{line}\n" for line in code))
        except MooSyntaxError as error:
            self._say_errors(error)
            return
        result = self._server.tasks.runner.program_task(
            program,
            player=self._wizard,
            programmer=self._wizard,
            verb="emergency_mode",
            verb_names="emergency_mode",
            debug=DEBUG_EVAL if self._debug else 0,
        )
        match result:
            case Done(value):
                self._say(f"=> {literal(value)}")
            case Blocked():
                self._say("=> *Suspended*")
            case Aborted():
                self._say("=> *Aborted*")

    def _say_errors(self, error: MooSyntaxError) -> None:
        self._say(f"** {len(error.errors)} errors during parsing:")
        for line in error.errors:
            self._say(f"  {line}")

    def _find_verb(self, text: str) -> tuple[Programming | None, str]:
        return find_verb_for_programming(self._engine, self._wizard, text)

    def _program(self, text: str) -> None:
        engine = self._engine
        found, message = self._find_verb(text)
        self._say(message)
        if found is None:
            return
        verbdef = engine.find_described_verb(found.object, found.verb)
        assert verbdef is not None  # it was found a moment ago
        code = self._read_code()
        try:
            program = engine.compile("".join(f"{line}\n" for line in code))
        except MooSyntaxError as error:
            self._say_errors(error)
            self._say("Verb not programmed.")
            return
        engine.set_program(found.object, verbdef, program)
        self._say("Verb programmed.")

    def _list(self, text: str) -> None:
        found, message = self._find_verb(text)
        if found is None:
            self._say(message)
            return
        verbdef = self._engine.find_described_verb(found.object, found.verb)
        assert verbdef is not None
        for line in self._engine.listing(verbdef, found.object):
            self._say(line)

    def _disassemble(self, text: str) -> None:
        found, message = self._find_verb(text)
        if found is None:
            self._say(message)
            return
        verbdef = self._engine.find_described_verb(found.object, found.verb)
        assert verbdef is not None
        program = self._engine.program_of(verbdef, found.object)
        if program is None:
            self._say("** The program of that verb does not parse: see `list'.")
            return
        for line in self._engine.disassembly(program):
            self._say(line)
