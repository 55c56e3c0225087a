"""Reads ``$server_options``.

What the options are, and which are read when, is in `pymoo.options`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pymoo.db.objects import BUILTIN_PROPERTIES, Object
from pymoo.db.world import World
from pymoo.options import (
    DEFAULT_BG_SECONDS,
    DEFAULT_FG_SECONDS,
    DEFAULT_MAX_LIST_CONCAT,
    DEFAULT_MAX_STACK_DEPTH,
    DEFAULT_MAX_STRING_CONCAT,
    DEFAULT_WORKER_TIMEOUT,
    MAX_LIST,
    MAX_STRING,
    MIN_HARD_SECONDS,
    MIN_LIST_CONCAT,
    MIN_SECONDS,
    MIN_STRING_CONCAT,
    MIN_TICKS,
)
from pymoo.values import SYSTEM_OBJECT, Obj, Value

if TYPE_CHECKING:
    from pymoo.interp.ops import SizeLimits
    from pymoo.lang.dialect import Dialect


class ServerOptions:
    """The options of one world; nothing is kept."""

    def __init__(self, world: World) -> None:
        self._world: Final = world

    def property(self, objid: Obj, name: str) -> Value | None:
        """Return the value of a property, whatever its permissions.

        ``name`` is folded.  None if the object or the property does not exist.
        """
        world = self._world
        record = world.find(objid)
        if record is None:
            return None
        slot = record.layout.slots.get(name)
        if slot is not None:
            return world.property_value(record, slot)
        if name in BUILTIN_PROPERTIES:
            return world.builtin_value(record, name)
        return None

    def get(self, name: str, holder: Obj = SYSTEM_OBJECT) -> Value | None:
        """Return ``holder.server_options.NAME``; None if there is no such thing.

        A listening point that has ``server_options`` of its own is asked alone.

        Source: server.c, get_server_option.
        """
        for place in (holder, SYSTEM_OBJECT):
            options = self.property(place, "server_options")
            if type(options) is Obj and self._world.valid(options):
                return self.property(options, name)
        return None

    def integer(self, name: str, default: int) -> int:
        """Return an option that is an integer; any other value means the default."""
        return self._integer(self._holder(), name, default)

    def _holder(self) -> Object | None:
        """Return the record of ``$server_options``, if there is one."""
        options = self.property(SYSTEM_OBJECT, "server_options")
        return self._world.find(options) if type(options) is Obj else None

    def _integer(self, holder: Object | None, name: str, default: int) -> int:
        """As `integer`, of an option that is no built-in property."""
        if holder is None:
            return default
        slot = holder.layout.slots.get(name)
        if slot is None:
            return default
        value = self._world.property_value(holder, slot)
        return value if type(value) is int else default

    def flag(self, name: str) -> bool:
        """Return whether an option is true; one that is not there is false."""
        value = self.get(name)
        return value is not None and bool(value)

    def string(self, name: str, default: str) -> str:
        """Return an option that is a string; any other value means ``""``."""
        value = self.get(name)
        if value is None:
            return default
        return value if type(value) is str else ""

    # --- limits of tasks --------------------------------------------------

    def budget(self, dialect: Dialect, *, foreground: bool) -> tuple[int, float]:
        """Return the ticks and seconds that a task gets now.

        Values below 100 ticks or 1 second count as these; or, if the dialect says
        so, as if they were not there.

        Source: execute.c, setup_task_execution_limits.
        """
        holder = self._holder()
        if foreground:
            defaults = dialect.fg_ticks, DEFAULT_FG_SECONDS
            ticks = self._integer(holder, "fg_ticks", defaults[0])
            seconds = self._integer(holder, "fg_seconds", defaults[1])
        else:
            defaults = dialect.bg_ticks, DEFAULT_BG_SECONDS
            ticks = self._integer(holder, "bg_ticks", defaults[0])
            seconds = self._integer(holder, "bg_seconds", defaults[1])
        if ticks < MIN_TICKS:
            ticks = defaults[0] if dialect.ignores_small_limits else MIN_TICKS
        if seconds < MIN_SECONDS:
            seconds = defaults[1] if dialect.ignores_small_limits else MIN_SECONDS
        return ticks, seconds

    def small_limits(self, dialect: Dialect) -> list[str]:
        """Return what to tell about limits that are too small to be taken as given."""
        texts = []
        for name in ("fg_ticks", "bg_ticks", "fg_seconds", "bg_seconds"):
            value = self.get(name)
            least = MIN_TICKS if name.endswith("ticks") else MIN_SECONDS
            if type(value) is int and value < least:
                counts = "is ignored"
                if not dialect.ignores_small_limits:
                    counts = f"counts as {least}"
                texts.append(
                    f"$server_options.{name} is {value}; what is below {least} {counts}"
                )
        return texts

    def max_stack_depth(self) -> int:
        """Return how many activations a task that begins now may have."""
        return max(
            DEFAULT_MAX_STACK_DEPTH,
            self.integer("max_stack_depth", DEFAULT_MAX_STACK_DEPTH),
        )

    def queued_task_limit(self, programmer: Obj) -> int | None:
        """Return how many background tasks ``programmer`` may have; None: any number.

        Source: tasks.c, check_user_task_limit.
        """
        limit = self.property(programmer, "queued_task_limit")
        if type(limit) is not int or limit < 0:
            limit = self.integer("queued_task_limit", -1)
        return None if limit < 0 else limit

    def worker_timeout(self) -> float:
        """Return how many seconds worker_request() waits if it is not told."""
        seconds = self.get("worker_timeout")
        if (type(seconds) is int or type(seconds) is float) and seconds > 0:
            return seconds
        return DEFAULT_WORKER_TIMEOUT

    def hard_seconds(self) -> float | None:
        """Return how many seconds any slice may last; None: any number.

        Less than `MIN_HARD_SECONDS` would stop whatever could change that again.
        """
        seconds = self.get("hard_seconds")
        if type(seconds) is int or type(seconds) is float:
            return seconds if seconds >= MIN_HARD_SECONDS else None
        return None

    def load_limits(self, limits: SizeLimits) -> None:
        """Set the sizes to which strings and lists may grow.

        Source: server.h, SERVER_OPTIONS_CACHED_MISC.
        """
        limits.max_list = _size(
            self.integer("max_list_concat", DEFAULT_MAX_LIST_CONCAT),
            MIN_LIST_CONCAT,
            MAX_LIST,
        )
        limits.max_string = _size(
            self.integer("max_string_concat", DEFAULT_MAX_STRING_CONCAT),
            MIN_STRING_CONCAT,
            MAX_STRING,
        )
        limits.catchable = self.flag("max_concat_catchable")


def _size(value: int, least: int, most: int) -> int:
    return most if value <= 0 else max(least, min(value, most))
