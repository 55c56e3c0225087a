"""How a built-in function is defined, found and checked.

A built-in function is one definition: name, argument types, permission,
documentation, source.  Four shapes:

* ``@builtin(..., pure=True)`` over ``bf_x(value, ...)``: computes a value from its
  arguments alone, in no time;
* ``@builtin(..., metered=True)`` over ``bf_x(meter, value, ...)``: the same, but it
  may take a while, of which it tells the `values.Meter`;
* ``@builtin(...)`` over ``bf_x(call, value, ...)``: looks at the caller, the world
  or the host, and returns a value or an `Outcome`;
* ``@builtin(..., steps=True)`` over ``bf_x(call, step, data, value)``: calls verbs.
  In step 1 ``value`` is the list of arguments; afterwards ``step`` and ``data`` are
  what it asked for with `Called`, and ``value`` is what the verb returned, or 0
  while an error or abort unwinds.

`BuiltinTable` holds the functions of one server, with what the database protects.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from attrs import define, field, frozen

from pymoo.errors import InternalError, MooError
from pymoo.lang.dialect import Dialect
from pymoo.values import E_ARGS, E_TYPE, ErrorCode, Obj, Value

Function: TypeAlias = Callable[..., Any]


@frozen
class ArgType:
    """What one argument may be; ``code`` is what function_info() shows for it."""

    name: str
    code: int
    types: tuple[type, ...] = ()  # none: anything


ANY: Final = ArgType("ANY", -1)
NUM: Final = ArgType("INT or FLOAT", -2, (int, float))
INT: Final = ArgType("INT", 0, (int,))
OBJ: Final = ArgType("OBJ", 1, (Obj,))
STR: Final = ArgType("STR", 2, (str,))
ERR: Final = ArgType("ERR", 3, (ErrorCode,))
LIST: Final = ArgType("LIST", 4, (tuple,))
FLOAT: Final = ArgType("FLOAT", 9, (float,))
SECONDS: Final = ArgType("INT, or FLOAT where the dialect has such delays", 0, (int,))


def argument_count(least: int, most: int | None) -> str:
    """Return in words how many arguments something takes; None is any number."""
    if least == most:
        return "1 argument" if least == 1 else f"{least or 'no'} arguments"
    return f"{least} {'or more' if most is None else f'to {most}'} arguments"


@define(eq=False)
class Builtin:
    """One built-in function of a server."""

    name: str
    function: Function
    types: tuple[ArgType, ...]
    least: int
    most: int | None  # None: any number
    # Whether it computes from its arguments alone; and then, whether with a meter.
    is_pure: bool
    is_metered: bool
    has_steps: bool
    # Whether it can neither run MOO code, put the task to sleep or end it, nor
    # look at the ticks that are left.
    is_quick: bool
    # Whether it says what is wrong with its arguments: LambdaMOO's own do not.
    explains: bool
    source: str
    # Whether $server_options.protect_NAME was true when last loaded.
    is_protected: bool = field(default=False, init=False)
    _checked: tuple[tuple[type, ...], ...] = field(init=False)
    # By the number of arguments: the places to be checked, and for what.
    _checks: tuple[tuple[tuple[int, tuple[type, ...]], ...], ...] = field(init=False)

    def __attrs_post_init__(self) -> None:
        # With any number of arguments, only those that must be there are checked.
        types = self.types if self.most is not None else self.types[: self.least]
        checked = tuple(kind.types for kind in types)
        self._checked = checked if any(checked) else ()
        places = [each for each in enumerate(self._checked) if each[1]]
        self._checks = tuple(
            tuple(each for each in places if each[0] < count)
            for count in range(len(self._checked) + 1)
        )

    @property
    def checked_types(self) -> tuple[tuple[type, ...], ...]:
        """Of which types the arguments must be, as far as that is checked."""
        return self._checked

    @property
    def takes_anything(self) -> bool:
        """Whether `check` lets every list of arguments pass."""
        return not self.least and self.most is None and not self._checked

    def check(self, arguments: tuple[Value, ...]) -> None:
        """Raise E_ARGS for a wrong number of arguments, E_TYPE for a wrong type."""
        count = len(arguments)
        if count < self.least or (self.most is not None and count > self.most):
            raise MooError(E_ARGS, self._expected(count) if self.explains else None)
        checks = self._checks
        for place, kinds in checks[count] if count < len(checks) else checks[-1]:
            if type(arguments[place]) not in kinds:
                if not self.explains:
                    raise MooError(E_TYPE)
                text = f"Argument {place + 1} of {self.name}() must be "
                raise MooError(E_TYPE, text + self.types[place].name, arguments[place])

    def _expected(self, count: int) -> str:
        return (
            f"{self.name}() takes {argument_count(self.least, self.most)}, not {count}"
        )

    def start(self, call: Any, arguments: tuple[Value, ...]) -> Any:
        """Call a function that is not pure, for the first time."""
        if self.has_steps:
            return self.function(call, 1, None, arguments)
        return self.function(call, *arguments)

    def resume(self, call: Any, step: int, data: Any, value: Value) -> Any:
        """Go on at ``step`` with what the verb that was called returned."""
        if not self.has_steps:
            raise InternalError(f"{self.name}() has no step {step}")
        return self.function(call, step, data, value)

    @property
    def description(self) -> Value:
        """The row of function_info()."""
        return (
            self.name,
            self.least,
            -1 if self.most is None else self.most,
            tuple(kind.code for kind in self.types),
        )


@frozen
class Definition:
    """What `builtin` recorded; tables are made from it."""

    name: str
    function: Function
    types: tuple[ArgType, ...]
    added: tuple[ArgType, ...]
    least: int
    most: int | None
    is_pure: bool
    is_metered: bool
    has_steps: bool
    sees_ticks: bool
    source: str


_definitions: Final[dict[str, Definition]] = {}


def builtin(
    name: str,
    args: list[ArgType] | tuple[ArgType, ...] = (),
    *,
    added: list[ArgType] | tuple[ArgType, ...] = (),
    least: int | None = None,
    more: bool = False,
    pure: bool = False,
    metered: bool = False,
    steps: bool = False,
    sees_ticks: bool = False,
    source: str = "",
) -> Callable[[Function], Function]:
    """Define the built-in function ``name``.

    ``args`` are the types of its arguments, of which ``least`` must be given (all
    if None); ``more`` allows any number beyond.  ``added`` are further ones that may be
    given where the dialect has `Dialect.added_arguments`.  ``sees_ticks`` says that it
    looks at the ticks that the task has left.
    """

    def define_it(function: Function) -> Function:
        if name in _definitions:
            raise InternalError(f"{name}() is defined twice")
        _definitions[name] = Definition(
            name,
            function,
            tuple(args),
            tuple(added),
            len(args) if least is None else least,
            None if more else len(args),
            pure or metered,
            metered,
            steps,
            sees_ticks,
            source,
        )
        return function

    return define_it


# The functions of LambdaMOO 1.8.3 in the order in which that server knows them:
# function_info() lists them so.
CLASSIC_ORDER: Final = tuple(
    """
    disassemble log_cache_stats verb_cache_stats call_function raise suspend read
    seconds_left ticks_left pass set_task_perms caller_perms callers task_stack
    function_info load_server_options value_bytes value_hash string_hash binary_hash
    decode_binary encode_binary length setadd setremove listappend listinsert
    listdelete listset equal is_member tostr toliteral match rmatch substitute crypt
    index rindex strcmp strsub server_log toint tonum tofloat min max abs random time
    ctime floatstr sqrt sin cos tan asin acos atan sinh cosh tanh exp log log10 ceil
    floor trunc toobj typeof create recycle object_bytes valid parent children
    chparent max_object players is_player set_player_flag move properties
    property_info set_property_info add_property delete_property clear_property
    is_clear_property server_version renumber reset_max_object memory_usage shutdown
    dump_database db_disk_size open_network_connection connected_players
    connected_seconds idle_seconds connection_name notify boot_player
    set_connection_option connection_option connection_options listen unlisten
    listeners buffered_output_length task_id queued_tasks kill_task
    output_delimiters queue_info resume force_input flush_input verbs verb_info
    set_verb_info verb_args set_verb_args add_verb delete_verb verb_code
    set_verb_code eval
    """.split()
)


# Those that it does not have, for dialects with `Dialect.added_functions`.
ADDED_ORDER: Final = tuple(
    """
    commit
    rollback
    task_policy
    with_task_perms
    invoke
    scheduled_tasks
    cancel_task
    worker_request
    suspend_if_needed
    yin
    task_time
    task_time_low
    active_tasks
    valid_task
    task_send
    task_recv
    wait_task
    job_start
    job_chain
    jobs
    job_info
    job_abort
    job_wait
    """.split()
)


class BuiltinTable(Mapping[str, Builtin]):
    """The built-in functions of one server, by name, in function_info()'s order."""

    def __init__(self, dialect: Dialect) -> None:
        import pymoo.builtins.families  # noqa: F401  (defines them all)

        names = CLASSIC_ORDER
        if dialect.added_functions:
            names += ADDED_ORDER
        self._table = {name: _make(_definitions[name], dialect) for name in names}
        self.proper_names: Final = {name: name for name in self._table}

    def __getitem__(self, name: str) -> Builtin:
        return self._table[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _make(definition: Definition, dialect: Dialect) -> Builtin:
    seconds = NUM if dialect.fractional_delays else INT
    types = definition.types
    if dialect.added_arguments:
        types += definition.added
    return Builtin(
        definition.name,
        definition.function,
        tuple(seconds if each is SECONDS else each for each in types),
        definition.least,
        None if definition.most is None else len(types),
        definition.is_pure,
        definition.is_metered,
        definition.has_steps,
        _is_quick(definition),
        definition.name in ADDED_ORDER,
        definition.source,
    )


def _is_quick(definition: Definition) -> bool:
    """Whether a function gives nothing but values; see `Builtin.is_quick`.

    One whose annotation is `Value` cannot return an `Outcome`: mypy sees to that.
    """
    result = definition.function.__annotations__["return"]
    return result == "Value" and not (definition.has_steps or definition.sees_ticks)
