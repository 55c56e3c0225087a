"""What a line of input does: logs in, is a command, programs a verb.

Source: tasks.c, do_login_task, do_command_task and what they call.
"""

from __future__ import annotations

from typing import Final

from pymoo.interp.engine import Engine
from pymoo.interp.vm import Done
from pymoo.interp.words import split_words
from pymoo.tasks.commands import (
    Command,
    find_command_verb,
    parse_command,
)
from pymoo.tasks.programming import (
    Programming,
    end_programming,
    find_verb_for_programming,
)
from pymoo.tasks.queues import (
    INTRINSIC_COMMANDS,
    PlayerQueue,
    QueueTable,
    is_program_command,
)
from pymoo.tasks.runner import Runner
from pymoo.values import (
    NOTHING,
    Obj,
)


class InputHandler:
    """Acts on lines of input."""

    def __init__(self, engine: Engine, runner: Runner, queues: QueueTable) -> None:
        self._engine: Final = engine
        self._runner: Final = runner
        self._queues: Final = queues

    def _notify(self, queue: PlayerQueue, text: str) -> None:
        self._engine.host.connections.send_line(queue.player, text)

    # --- out of band, login -----------------------------------------------

    def out_of_band(self, queue: PlayerQueue, line: str) -> None:
        """Run ``do_out_of_band_command`` for a line that began with ``#$#``."""
        self._runner.server_task(
            queue.player,
            queue.handler,
            "do_out_of_band_command",
            tuple(split_words(line)),
            line,
        )

    def login(self, queue: PlayerQueue, line: str) -> None:
        """Give a line of an unnamed connection to ``do_login_command``.

        The connection is logged in if that returns a player at once.
        """
        newest = self._engine.world.max_object
        queue.last_input_task = self._runner.new_task_id()
        result = self._runner.server_task(
            queue.player,
            queue.handler,
            "do_login_command",
            tuple(split_words(line)),
            line,
            queue.last_input_task,
        )
        if not isinstance(result, Done) or type(result.value) is not Obj:
            return
        player = result.value
        record = self._engine.world.find(player)
        if not queue.connected or record is None or not record.is_player:
            return
        connection = queue.player
        self._hand_over(queue, player)
        self._engine.host.connections.player_connected(
            connection, player, created=player > newest
        )

    def _hand_over(self, queue: PlayerQueue, player: Obj) -> None:
        """Make the queue of a connection that of ``player``.

        Tasks that the connection had started stay accounted to its number; input
        that waited in an old queue of the player is thrown away, tasks move over.
        """
        connection = queue.player
        previous = self._queues.find(player)
        if previous is not None:
            self._queues.abandon(previous)
        self._queues.rename(queue, player)
        if queue.background_count:
            left = PlayerQueue(connection, queue.flush_command)
            self._queues.add(left)
            left.background_count = queue.background_count
            left.background.extend(queue.background)
            queue.background_count = 0
            queue.background.clear()
        if previous is not None:
            queue.background_count = previous.background_count
            queue.background.extend(previous.background)
            previous.background_count = 0
            previous.background.clear()
            previous.in_band.clear()
            previous.out_of_band.clear()
            previous.input_length = 0

    # --- commands ---------------------------------------------------------

    def command(self, queue: PlayerQueue, line: str) -> bool:
        """Do what a player typed; False if the line was blank."""
        if queue.programming is not None:
            self._program_line(queue, queue.programming, line)
            return True
        world, player = self._engine.world, queue.player
        command = parse_command(world, line, player)
        if command is None:
            return False
        if self._intrinsic(queue, command):
            return True
        if queue.prefix:
            self._notify(queue, queue.prefix)
        self._run_command(queue, command, line)
        if queue.suffix:
            self._notify(queue, queue.suffix)
        return True

    def _run_command(self, queue: PlayerQueue, command: Command, line: str) -> None:
        world, player = self._engine.world, queue.player
        task_id = queue.last_input_task = self._runner.new_task_id()
        result = self._runner.server_task(
            player,
            queue.handler,
            "do_command",
            lambda: tuple(split_words(line)),
            line,
            task_id,
        )
        if not isinstance(result, Done) or result.value:
            return
        found = find_command_verb(world, command, player)
        if found is None:
            record = world.find(player)
            location = NOTHING if record is None else record.location
            huh = world.find_callable_verb(location, "huh")
            if huh is None:
                self._notify(queue, "I couldn't understand that.")
                queue.last_input_task = 0
                return
            found = (location, *huh)
        self._runner.command_task(command, player, *found, task_id)

    def _intrinsic(self, queue: PlayerQueue, command: Command) -> bool:
        """Do one of the commands that the server knows itself; False if it is none."""
        name = command.verb
        if is_program_command(name):
            name = ".program"
        if name not in queue.intrinsic or name not in INTRINSIC_COMMANDS:
            return False
        if name in ("PREFIX", "OUTPUTPREFIX"):
            queue.prefix = command.argstr
        elif name in ("SUFFIX", "OUTPUTSUFFIX"):
            queue.suffix = command.argstr
        else:
            record = self._engine.world.find(queue.player)
            if record is None or not record.is_programmer:
                return False
            self._start_programming(queue, command)
        return True

    # --- .program ---------------------------------------------------------

    def _start_programming(self, queue: PlayerQueue, command: Command) -> None:
        if len(command.args) != 1:
            self._notify(queue, "Usage:  .program object:verb")
            return
        queue.programming, message = find_verb_for_programming(
            self._engine, queue.player, command.args[0]
        )
        self._notify(queue, message)

    def _program_line(
        self, queue: PlayerQueue, programming: Programming, line: str
    ) -> None:
        if line != ".":
            programming.lines.append(line)
            return
        queue.programming = None
        for message in end_programming(self._engine, programming):
            self._notify(queue, message)
