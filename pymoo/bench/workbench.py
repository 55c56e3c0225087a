"""A world in this process, to run measured programs in.

It is a server without sockets whose time stands still, with one scratch object that
the verbs to be measured are put on; in them that is ``this``.  They belong to a
wizard.  The database file is not changed.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Final

from pymoo.bench.cases import BenchError, Tier
from pymoo.db.textdump import dump
from pymoo.errors import MooSyntaxError
from pymoo.interp.tiering import SWITCH
from pymoo.interp.vm import Aborted, Done, Result
from pymoo.lang.dialect import Dialect
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import keep_in_memory, open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.inprocess import HandClock
from pymoo.server.log import Log
from pymoo.server.memory_network import MemoryNetwork
from pymoo.values import Obj, Value, literal

# ``answer`` takes the value of programs that suspend, ``object`` and ``list`` what
# one of them leaves for another.
_MAKE_SCRATCH: Final = """
"In LambdaCore even wizards make objects by its own verbs only.";
`player.ownership_quota = 1000000000 ! E_PROPNF';
o = create(#-1);
for name in ({"answer", "count", "inherited", "object", "list"})
  add_property(o, name, 0, {player, "rw"});
endfor
o.name = "scratch";
return o;
"""

_LIFT_LIMITS: Final = """
if (!("server_options" in properties(#0)))
  add_property(#0, "server_options", create(#-1), {player, "r"});
endif
own = #0.server_options;
for option in ({{"fg_ticks", 2000000000}, {"bg_ticks", 2000000000}, {"fg_seconds",
    3600}, {"bg_seconds", 3600}, {"queued_task_limit", 2000000}, {"max_stack_depth",
    100}})
  {name, value} = option;
  try
    own.(name) = value;
  except (E_PROPNF)
    add_property(own, name, value, {player, "r"});
  endtry
endfor
"Where a core protects a function, a verb of the core's is called in its place.";
options = own;
while (valid(options))
  for name in (properties(options))
    if (index(name, "protect_") == 1)
      own.(name) = 0;
    endif
  endfor
  options = parent(options);
endwhile
load_server_options();
return 1;
"""


def put_in_force(tier: Tier, environment: MutableMapping[str, str]) -> None:
    """Change an environment: processes or engines made in it run MOO code so."""
    if tier is Tier.WALKER:
        environment[SWITCH] = "walker"
    else:
        # A server compiles by itself.  The switch's ``compiled`` is another thing,
        # for tests: it compiles at once what may never be used again.
        environment.pop(SWITCH, None)


@contextmanager
def in_force(tier: Tier) -> Iterator[None]:
    """Have the engines that are made meanwhile run MOO code in this way."""
    before = os.environ.get(SWITCH)
    put_in_force(tier, os.environ)
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(SWITCH, None)
        else:
            os.environ[SWITCH] = before


class Workbench:
    """A world, and programs run in it."""

    def __init__(
        self, path: Path, dialect: Dialect, tier: Tier, *, lifts_limits: bool = True
    ) -> None:
        """With ``lifts_limits``, programs meet no limit, nor protected functions.

        Raises: PymooError if the file is no database, or has no wizard.
        """
        database = open_database(path, dialect, check=False)
        # What it was doing when it was saved is no part of what is measured.
        database.textdump.tasks.clear()
        database.textdump.connections.clear()
        world = database.textdump.world
        wizard = next(
            (each.id for each in world.objects() if each.is_wizard and each.is_player),
            None,
        )
        if wizard is None:
            raise BenchError(f"{path}: there is no wizard who could run anything")
        self.wizard: Final = wizard
        self.world: Final = world
        self._clock: Final = HandClock()
        self._log: Final = BytesIO()
        with in_force(tier):
            self._server: Final = Server(
                database.textdump,
                DumpFiles(os.fspath(path), None),
                MemoryNetwork(),
                self._clock,
                Log(self._clock, self._log),
                ServerSettings(dialect, width=dialect.default_width, seed=1),
                builtins=database.builtins,
                loader=database.loader,
                forks=False,
            )
        del database
        keep_in_memory()
        self._server.load_options()
        scratch = self.run(_MAKE_SCRATCH)
        assert type(scratch) is Obj
        self.scratch: Final = scratch
        if lifts_limits:
            self.run(_LIFT_LIMITS)
        self._count = 0

    # --- programs ---------------------------------------------------------

    def run(self, code: str) -> Value:
        """Run a program once, as the wizard; return its value.

        Raises: BenchError if it is no program, or ends in an error.
        """
        try:
            program = self._server.engine.compile(code + "\n")
        except MooSyntaxError as error:
            raise BenchError("\n".join([*error.errors, "in:", code])) from error
        result = self._server.tasks.runner.program_task(
            program,
            player=self.wizard,
            programmer=self.wizard,
            verb="",
            verb_names="pymoo bench",
            debug=8,
        )
        return self._value(result)

    def define(self, name: str, code: str) -> None:
        """Put a verb on the scratch object."""
        lines = tuple(code.strip("\n").split("\n"))
        problems = self.run(
            f"o = {self.scratch}; name = {literal(name)};"
            'add_verb(o, {player, "rxd", name}, {"this", "none", "this"});'
            f"return set_verb_code(o, name, {literal(lines)});"
        )
        if problems != ():
            raise BenchError(f"{name}: {literal(problems)}")

    def define_anew(self, code: str) -> str:
        """Put a verb on the scratch object under a name that is free; return that."""
        self._count += 1
        name = f"bench_{self._count}"
        self.define(name, code)
        return name

    def call(self, verb: str, *arguments: Value) -> Value:
        """Call a verb of the scratch object, and run all that is ready then.

        The value of one that suspends is what it has put into ``this.answer``.

        Raises: BenchError if it ends in an error.
        """
        result = self._server.tasks.runner.server_task(
            self.wizard, self.scratch, verb, arguments
        )
        if isinstance(result, Done):
            return result.value
        if isinstance(result, Aborted):
            return self._value(result)
        self.settle()
        return self.run(f"return {self.scratch}.answer;")

    def _value(self, result: Result) -> Value:
        match result:
            case Done(value):
                return value
            case Aborted(arguments=(*_, tuple() as lines)):
                raise BenchError("\n".join(str(line) for line in lines))
            case _:
                raise BenchError(f"a program that was to end did not: {result}")

    # --- tasks ------------------------------------------------------------

    def settle(self) -> None:
        """Run what is ready, and what becomes ready by that."""
        while self._server.seconds_until_next() == 0:
            self._server.turn()
        problems = self._log.getvalue().decode("latin-1")
        if "BUG IN PYMOO" in problems:
            raise BenchError(problems)

    def advance(self, seconds: float) -> None:
        """Let time pass, and run what is due then."""
        self._clock.advance(seconds)
        self.settle()

    # --- the world --------------------------------------------------------

    def save(self, path: Path) -> None:
        """Write the world, as it is now, to a file; no task goes with it."""
        with open(path, "wb") as stream:
            dump(self.world, stream)


def cpu_seconds(work: Callable[[], None]) -> float:
    """Return the CPU time that a piece of work takes in this process.

    What was garbage before is collected before.
    """
    gc.collect()
    began = time.process_time()
    work()
    return time.process_time() - began
