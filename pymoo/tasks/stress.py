"""Switches that make a server do all the time what it otherwise seldom does.

For tests: what players and MOO programs see must not change by them.  The variable
`SWITCH` of the environment names them, with commas between; `interp.tiering` has
another one, for the tiers.

**unwind**: Python's stack is unwound at every call of a verb, as it otherwise is when
it is deep (`interp.vm`), and behind every call of a built-in function that goes through
`VM.call_function`, but for pure ones.  Then the activation that has called is made anew
of what a textdump would hold of it: its variables by name, its operand stack, its place
in the classic code, the function that waits for its value.  Its program stays the same
one, with what the second tier knows of it.  ``args``, ``caller`` and ``parse``, which a
textdump does not hold, are of use only before an activation has begun, and are lost
here too.  The one just called, which has not begun, has no form in a textdump.

**reload**: after every slice a textdump is written and read again, and what was read
takes the place of the world and of the tasks that wait.  Every record is a new one;
the program of every verb and task is parsed anew.  What a textdump does not hold goes
on as it was:

* connections, listening points, look-ups of names, the time of the next checkpoint;
* the queues of players: their order, lines of input, options, ``.program`` in progress;
* tasks that wait in ``read()``, and the few that a textdump leaves out: those that are
  ready in the queue of a connection which has logged in meanwhile;
* for what tasks wait otherwise, and the messages of errors that they are to raise;
* the place of each task among the others (in a textdump forked tasks come first), and
  fractions of a second in its time;
* the line at which the body of a fork begins, when it has been read from a textdump:
  the C server keeps it, but does not write it again;
* what was taken over at the last ``load_server_options()``, the state of ``random()``,
  the counts of ``verb_cache_stats()``.

What a restart of the C server changes is changed here too: the body of a fork that was
read is a program of its own, with no other variables than its own and on line 1 until
it begins, which ``queued_tasks()`` shows; a list too long for a file is E_QUOTA; what
programs have in memory besides their text (`Program.was_line_asked`, what the second
tier made of them) is gone, and so are the verbs that were found before.  Tasks need
more seconds, as they pay for all that is parsed once more.
"""

from __future__ import annotations

import gc
import io
import os
from typing import TYPE_CHECKING, Final

from attrs import evolve

from pymoo.db.textdump import dump, load
from pymoo.errors import MooError, OptionError
from pymoo.interp.engine import Engine
from pymoo.interp.loading import ProgramLoader
from pymoo.interp.vm import VM, Result
from pymoo.tasks.saved import Restorer, made_anew, save_tasks
from pymoo.tasks.task import BackgroundTask, ForkedTask, SuspendedTask

if TYPE_CHECKING:
    from pymoo.tasks.scheduler import Scheduler

SWITCH: Final = "PYMOO_STRESS"
UNWIND: Final = "unwind"
RELOAD: Final = "reload"
CHOICES: Final = (UNWIND, RELOAD)


def switched_on() -> frozenset[str]:
    """Return what the environment asks for.

    Raises: OptionError for a switch that there is not.
    """
    text = os.environ.get(SWITCH, "")
    names = frozenset(text.split(",")) if text else frozenset()
    if not names.issubset(CHOICES):
        raise OptionError(
            f"{SWITCH}={text}: there is no such choice; it may be "
            f"{' or '.join(CHOICES)}, or {','.join(CHOICES)}"
        )
    return names


class StressError(BaseException):
    """What a switch does has failed; nothing that goes on after bugs may hide it."""


class Stress:
    """The switches of one scheduler, and how often each has done its work."""

    def __init__(self, engine: Engine, scheduler: Scheduler) -> None:
        """Raises: OptionError."""
        names = switched_on()
        self._engine: Final = engine
        self._scheduler: Final = scheduler
        self.unwound = 0
        """How many calls have unwound Python's stack."""
        self.reloaded = 0
        """How many slices the world was reloaded after."""
        if UNWIND in names:
            engine.unwound = self._note_unwound
        if RELOAD in names:
            scheduler.runner.watchers.append(self._note_slice)

    # --- unwind -----------------------------------------------------------

    def _note_unwound(self, vm: VM, caller: int) -> None:
        """Make the activation that is in a call anew."""
        try:
            vm.activations[caller] = made_anew(vm.activations[caller])
        except Exception as error:
            raise StressError(
                f"{SWITCH}={UNWIND}: an activation cannot be made anew"
            ) from error
        self.unwound += 1

    # --- reload -----------------------------------------------------------

    def _note_slice(self, vm: VM, result: Result, ticks: int) -> None:
        try:
            self._reload()
        except Exception as error:
            raise StressError(
                f"{SWITCH}={RELOAD}: the world cannot be reloaded"
            ) from error
        self.reloaded += 1

    def _reload(self) -> None:
        """Write a textdump and go on with what can be read of it."""
        engine = self._engine
        width = engine.ops.width
        # In the order in which they stand in a textdump.
        tasks = sorted(
            self._scheduler.background_tasks(),
            key=lambda task: not isinstance(task, ForkedTask),
        )
        stream = io.BytesIO()
        schedule = self._scheduler.schedule
        extras = {"schedule": schedule.saved()}
        dump(engine.world, stream, tasks=save_tasks(tasks), extras=extras)
        stream.seek(0)
        textdump = load(stream, name="a textdump in memory", int_bits=width)
        engine.world.take_over(textdump.world)
        loader = ProgramLoader(engine.builtins.proper_names, width)
        restorer = Restorer(engine, loader.parse_for_task)
        restored: dict[int, BackgroundTask] = {}
        for task, saved in zip(tasks, textdump.tasks, strict=True):
            new = restorer.task(saved)
            _carry_over(task, new)
            if isinstance(task, SuspendedTask) and task.wait is not None:
                # Whoever brings what it waits for knows it by its record.
                task.vm = new.vm
                new = task
            restored[id(task)] = new
        self._scheduler.replace_tasks(lambda task: restored[id(task)])
        if extras["schedule"]:
            schedule.restore(textdump.extras["schedule"])
        # Or it would happen in the next slice, at the cost of that one's seconds.
        gc.collect(1)


def _carry_over(old: BackgroundTask, new: BackgroundTask) -> None:
    """Give a task that was read what a textdump does not hold of the old one."""
    new.start_time = old.start_time
    new.vm.policy = old.vm.policy  # an extra of a server's textdump, not in this one
    new.vm.kind = old.vm.kind
    if isinstance(old, SuspendedTask) and isinstance(new, SuspendedTask):
        new.was_delivered = old.was_delivered
        if isinstance(old.value, MooError):
            new.value = old.value
    for before, after in zip(old.vm.activations, new.vm.activations, strict=True):
        line = before.program.first_line
        if line != 1 and before.vector == after.vector:
            # It was read from a textdump before, and is the body of a fork alone; or
            # it is in one.  A fork in that becomes a program of its own only now.
            after.program = evolve(after.program, first_line=line)
