"""What all tasks of one server run in: world, operators, functions, options.

The engine owns no tasks.  The layers above give it what it cannot know itself:
the table of built-in functions, and the `Host`.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, Protocol

from attrs import astuple, evolve, frozen

from pymoo.db.objects import Object, Verbdef
from pymoo.db.sizes import object_bytes
from pymoo.db.world import World, may_be_place
from pymoo.errors import MooSyntaxError
from pymoo.interp import ops
from pymoo.interp.host import Clock, Host, Stopwatch
from pymoo.interp.memory import UNLIMITED, MemoryBudget
from pymoo.interp.patterns.pattern import PatternCache
from pymoo.interp.policy import CLASSIC, Policy, UnknownChoiceError
from pymoo.interp.properties import Properties
from pymoo.interp.server_options import ServerOptions
from pymoo.interp.sizes import program_bytes
from pymoo.interp.tiering import Tiering
from pymoo.lang import nodes as n
from pymoo.lang.dialect import Dialect
from pymoo.lang.names import built_in_variables
from pymoo.lang.parser import parse_program
from pymoo.lang.program import Program
from pymoo.lang.unparse import unparse
from pymoo.options import DEFAULT_TASK_CLOCK
from pymoo.values import UNMETERED, Meter, Obj, Value

if TYPE_CHECKING:
    from pymoo.interp.vm import VM

MAX_LISTINGS: Final = 64
"""Of how many programs the lines are kept."""

MAX_PARSED: Final = 256
"""How many programs given to eval() and the like are kept as parsed."""
MAX_KEPT_TEXT: Final = 500
"""How long such a text may be, in characters."""

Operation = Callable[[Any, Any], Value]


class Function(Protocol):
    """A built-in function, as the engine sees it (`builtins.registry.Builtin`)."""

    name: str
    least: int
    most: int | None
    is_pure: bool
    is_metered: bool
    is_quick: bool
    explains: bool
    is_protected: bool
    function: Callable[..., Any]

    @property
    def checked_types(self) -> tuple[tuple[type, ...], ...]: ...

    @property
    def takes_anything(self) -> bool: ...

    @property
    def description(self) -> Value: ...

    def check(self, arguments: tuple[Value, ...]) -> None: ...

    def start(self, call: Any, arguments: tuple[Value, ...]) -> Any: ...

    def resume(self, call: Any, step: int, data: Any, value: Value) -> Any: ...


class Functions(Protocol):
    """The table of built-in functions."""

    @property
    def proper_names(self) -> Mapping[str, str]: ...

    def __getitem__(self, name: str) -> Function: ...

    def __iter__(self) -> Any: ...

    def __len__(self) -> int: ...


def _listing(
    operators: ops.Operators, program: Program, fully_parenthesized: bool, indent: bool
) -> tuple[str, ...]:
    """Return the lines of a program."""
    return tuple(
        unparse(
            program,
            fully_parenthesized=fully_parenthesized,
            indent=indent,
            meter=operators.meter,
        )
    )


class Engine:
    """Everything that the tasks of one server share."""

    def __init__(
        self,
        world: World,
        builtins: Functions,
        host: Host,
        clock: Clock,
        dialect: Dialect,
        *,
        width: int = 32,
        encoding: str = "latin-1",
        seed: int | None = None,
        compiles: bool = True,
    ) -> None:
        """``compiles`` says whether verbs that run often become Python."""
        self.world: Final = world
        self.builtins: Final = builtins
        self.host: Final = host
        self.clock: Final = clock
        self.dialect: Final = dialect
        self.encoding: Final = encoding
        self.random: Final = random.Random(seed)
        self.patterns: Final = PatternCache()
        self.policy = CLASSIC
        """Of tasks that do not choose for themselves."""
        self.stopwatch: Callable[[], Stopwatch] = clock.stopwatch
        """Begins to count the seconds of a slice."""
        self.memory: MemoryBudget = UNLIMITED
        """What the process may take."""
        self.hard_seconds: float | None = None
        """How long a slice may last by the clock on the wall; None: any time."""
        self.invoked_output_mark = ""
        """What is put before lines that a task of invoke() sends to its player."""
        self.limits: Final = ops.SizeLimits()
        self.ops: Final = ops.Operators(width, self.limits)
        self.options: Final = ServerOptions(world)
        self.properties: Final = Properties(self)
        # By text: dialect, encoding, width and functions stay as they are.
        self._parsed: Final[dict[str, Program]] = {}
        # Help texts and listings are often asked for.
        self._listing: Final = lru_cache(maxsize=MAX_LISTINGS)(
            partial(_listing, self.ops)
        )
        self.tiering: Final = Tiering(self, is_enabled=compiles)
        self.unwound: Callable[[VM, int], None] | None = None
        """If set, Python's stack is unwound at every call that may run other code.

        Then this is told which activation has called, by its index.
        """
        self.binary: Final[dict[type[n.Node], Operation]] = {
            n.Add: self.ops.add,
            n.Subtract: self.ops.subtract,
            n.Multiply: self.ops.multiply,
            n.Divide: self.ops.divide,
            n.Modulus: self.ops.modulus,
            n.Power: self.ops.power,
            n.Equal: self.ops.equal,
            n.NotEqual: self.ops.not_equal,
            n.Less: self.ops.less,
            n.LessEqual: self.ops.less_equal,
            n.Greater: self.ops.greater,
            n.GreaterEqual: self.ops.greater_equal,
            n.In: self.ops.is_in,
        }

    # --- programs ---------------------------------------------------------

    def compile(self, source: str, *, meter: Meter = UNMETERED) -> Program:
        """Return the program of a text that a player or a verb has written.

        Raises: MooSyntaxError.
        """
        comments, is_bytes = self.dialect.line_comments, self.encoding == "latin-1"
        known = self._parsed.pop(source, None)
        if known is None:
            known = parse_program(
                source,
                functions=self.builtins.proper_names,
                width=self.ops.width,
                line_comments=comments,
                byte_text=is_bytes,
                meter=meter,
            )
        if len(source) <= MAX_KEPT_TEXT:
            # Those used last are at the end.
            self._parsed[source] = known
            if len(self._parsed) > MAX_PARSED:
                del self._parsed[next(iter(self._parsed))]
        # The same syntax tree, but a program with a life of its own.
        program = evolve(known)
        program.origin = (source, comments, is_bytes)
        return program

    def program_of(self, verbdef: Verbdef, definer: Obj) -> Program | None:
        """Return the program of a verb, parsed now if it is its first use.

        A verb that does not parse (only a database file can hold one) has none:
        it cannot be called, and the log says why, once.
        """
        program: Program | None = verbdef.compiled
        if program is None:
            if verbdef.code is None:
                program = EMPTY_PROGRAM
            else:
                try:
                    program = self._load(verbdef, definer)
                except MooSyntaxError as error:
                    self._log_parser("Error", definer, verbdef.names, error.errors)
                    program = None
            verbdef.compiled = program if program is not None else _UNPARSABLE
        elif program is _UNPARSABLE:
            return None
        return program

    def _load(self, verbdef: Verbdef, definer: Obj) -> Program:
        assert verbdef.code is not None
        names = verbdef.names
        program = parse_program(
            verbdef.code,
            functions=self.builtins.proper_names,
            version=verbdef.version,
            width=self.ops.width,
            warn=lambda line: self._log_parser("Warning", definer, names, [line]),
        )
        program.origin = (verbdef.code, verbdef.version)
        return program

    def _log_parser(
        self, kind: str, definer: Obj, names: str, lines: list[str]
    ) -> None:
        is_error = kind == "Error"
        log = self.host.server.log
        for line in lines:
            log(f"PARSER: {kind} in {definer}:{names}:", is_error=is_error)
            log(f"           {line}", is_error=is_error)

    def set_program(self, objid: Obj, verbdef: Verbdef, program: Program) -> None:
        """Program a verb that ``objid`` defines."""
        code = unparse(
            program, fully_parenthesized=True, indent=False, meter=self.ops.meter
        )
        self.world.set_verb_code(
            objid, verbdef, "".join(f"{line}\n" for line in code), program
        )

    def listing(
        self,
        verbdef: Verbdef,
        definer: Obj,
        *,
        fully_parenthesized: bool = False,
        indent: bool = True,
    ) -> tuple[str, ...]:
        """Return the lines of a verb's code as verb_code() shows them.

        Those of a verb that does not parse are the lines of the database file.
        """
        program = self.program_of(verbdef, definer)
        if program is None:
            return tuple((verbdef.code or "").removesuffix("\n").split("\n"))
        return self._listing(program, fully_parenthesized, indent)

    def disassembly(self, program: Program) -> list[str]:
        """Return the lines that disassemble() shows."""
        numbers = {name: number for number, name in enumerate(self.builtins)}
        return program.classic.disassemble(numbers)

    def find_described_verb(self, objid: Obj, descriptor: Value) -> Verbdef | None:
        """Return the verb of a valid object that a name or a number from 1 means.

        Source: verbs.c, find_described_verb.
        """
        if type(descriptor) is int:
            return self.world.find_indexed_verb(objid, descriptor)
        name = str(descriptor)
        numbers = may_be_place(name) and self.options.flag(
            "support_numeric_verbname_strings"
        )
        return self.world.find_defined_verb(objid, name, allow_numbers=numbers)

    # --- what built-in functions tell of the world --------------------------

    def name_of(self, objid: Obj) -> str:
        """Return ``NAME (#N)`` for the log and the like; ``#N`` if it is not valid."""
        record = self.world.find(objid)
        return str(objid) if record is None else f"{record.name} ({objid})"

    def object_bytes(self, record: Object) -> int:
        """Return what object_bytes() gives."""

        def size_of_program(verbdef: Verbdef) -> int:
            program = self.program_of(verbdef, record.id)
            return program_bytes(program or EMPTY_PROGRAM)

        return self.ops.wrap(
            object_bytes(record, size_of_program, meter=self.ops.meter)
        )

    def verb_cache_report(self) -> tuple[Value, ...]:
        """Return what verb_cache_stats() gives.

        The last element is, in the C server, how many chains of its hash table
        have 0, 1, ... 16 or more entries; here each verb found is a chain of one.
        """
        stats = self.world.verb_cache_stats
        chains = (0, stats.entries, *[0] * 15)
        return stats.hits, stats.negative_hits, stats.misses, stats.generation, chains

    def log_verb_cache(self) -> None:
        """Write the counts of verb look-up to the log.

        Source: db_verbs.c, db_log_cache_stats.
        """
        hits, _, misses, generation, chains = self.verb_cache_report()
        log = self.host.server.log
        log(
            f"Verb cache stat summary: {hits} hits, {misses} misses, "
            f"{generation} generations"
        )
        log("Depth   Count")
        assert type(chains) is tuple
        for depth, count in enumerate(chains):
            log(f"{depth:<5d}   {count:<5d}")
        log("---")

    # --- options ----------------------------------------------------------

    def load_server_options(self) -> None:
        """Take over what ``$server_options`` says now of protection and limits.

        Source: functions.c, load_server_options.
        """
        options = self.options
        self.world.journal.note((self._restore_options, self._loaded_options()))
        for name in self.builtins:
            self.builtins[name].is_protected = options.flag(f"protect_{name}")
        self.host.server.log(
            f"Loaded protect cache for {len(self.builtins)} builtin functions"
        )
        self.properties.load_protection(options)
        self.tiering.load_protection()
        options.load_limits(self.limits)
        self.stopwatch = self.clock.stopwatch
        if self.dialect.added_options:
            if options.string("task_clock", DEFAULT_TASK_CLOCK) == "wall":
                self.stopwatch = self.clock.wall_stopwatch
            self.hard_seconds = options.hard_seconds()
            self.invoked_output_mark = options.string("invoked_output_mark", "")
        if self.dialect.added_functions:
            self._load_policy()

    def _loaded_options(self) -> _LoadedOptions:
        functions = self.builtins
        return _LoadedOptions(
            frozenset(name for name in functions if functions[name].is_protected),
            self.properties.protected,
            astuple(self.limits),
            self.policy,
            self.stopwatch,
            self.hard_seconds,
            self.invoked_output_mark,
        )

    def _restore_options(self, loaded: _LoadedOptions) -> None:
        """Undo `load_server_options`."""
        for name in self.builtins:
            self.builtins[name].is_protected = name in loaded.functions
        self.properties.protected = loaded.properties
        self.tiering.load_protection()
        limits = self.limits
        limits.max_string, limits.max_list, limits.catchable = loaded.limits
        self.policy = loaded.policy
        self.stopwatch = loaded.stopwatch
        self.hard_seconds = loaded.hard_seconds
        self.invoked_output_mark = loaded.invoked_output_mark

    def _load_policy(self) -> None:
        choices = [self.options.get(f"{name}_policy") for name in ("error", "abort")]
        try:
            self.policy = CLASSIC.with_choices(*choices)
        except UnknownChoiceError as error:
            self.policy = CLASSIC
            self.host.server.log(
                "$server_options.error_policy or abort_policy is not understood, and "
                f"both count as 'keep': {error}",
                is_error=True,
            )

    def policy_of(self, vm: VM) -> Policy:
        """Return what becomes of what a task has changed if it fails."""
        return self.policy if vm.policy is None else vm.policy

    def budget(self, *, foreground: bool) -> tuple[int, float]:
        """Return the ticks and seconds that a task gets when it starts or resumes."""
        return self.options.budget(self.dialect, foreground=foreground)


@frozen
class _LoadedOptions:
    """What load_server_options() takes over."""

    functions: frozenset[str]  # that are protected
    properties: frozenset[str]
    limits: tuple[int, int, bool]
    policy: Policy
    stopwatch: Callable[[], Stopwatch]
    hard_seconds: float | None
    invoked_output_mark: str


EMPTY_PROGRAM: Final = Program((), built_in_variables())
_UNPARSABLE: Final[Any] = object()
