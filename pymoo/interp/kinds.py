"""Which types the values in a program can have, as far as its text tells.

`Kinds` walks a program the way it would run and notes, for each expression, the
types that its value can have; generated code leaves out the checks that this makes
needless.  A set of types is a mask: `INT` to `LIST`, and for a variable `UNBOUND`.

It speaks of what holds while no operation has failed: behind ``x + 1`` x is an INT,
or the error has left; in a frame without the d bit, the walker has gone on.  What a
variable holds is known at the head of each loop too (`Kinds.heads`), so that the loop
can be entered there by itself.

Source of what operators give: `interp.ops`.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from pymoo.lang import nodes as n
from pymoo.lang.handlers import handlers_of
from pymoo.lang.names import (
    INHERITED_SLOTS,
    SLOT_ARGS,
    SLOT_CALLER,
    SLOT_PLAYER,
    SLOT_THIS,
    SLOT_VERB,
    built_in_variables,
)
from pymoo.lang.program import Program
from pymoo.values import ErrorCode, Obj

INT: Final = 1
FLOAT: Final = 2
STR: Final = 4
OBJ: Final = 8
ERR: Final = 16
LIST: Final = 32
UNBOUND: Final = 64
ANY: Final = INT | FLOAT | STR | OBJ | ERR | LIST
UNKNOWN: Final = ANY | UNBOUND
NUMBER: Final = INT | FLOAT

KIND_OF: Final[dict[type, int]] = {
    int: INT,
    float: FLOAT,
    str: STR,
    Obj: OBJ,
    ErrorCode: ERR,
    tuple: LIST,
    type(None): UNBOUND,
}

# What built-in functions return, where it is of one type.  A function that the
# database protects may return anything.
RESULTS: Final[dict[str, int]] = {
    **dict.fromkeys(
        """
        length is_member equal toint tonum index rindex strcmp random time ticks_left
        seconds_left valid is_player typeof task_id value_bytes object_bytes
        connected_seconds idle_seconds
        """.split(),
        INT,
    ),
    **dict.fromkeys(
        """
        tostr toliteral substitute strsub ctime floatstr crypt string_hash value_hash
        binary_hash encode_binary connection_name
        """.split(),
        STR,
    ),
    **dict.fromkeys(
        """
        setadd setremove listappend listinsert listdelete listset match rmatch
        children players properties property_info verbs verb_info verb_args verb_code
        connected_players callers decode_binary
        """.split(),
        LIST,
    ),
    **dict.fromkeys(
        """
        tofloat sqrt sin cos tan asin acos atan sinh cosh tanh exp log log10 ceil floor
        trunc
        """.split(),
        FLOAT,
    ),
    **dict.fromkeys("toobj parent max_object caller_perms".split(), OBJ),
}

MAX_PASSES: Final = 8
"""How often a program is gone through before nothing is taken for known in the loops
that still change.

Verbs of the usual cores need 6 at the most.  ``a = b; b = c; c = d; ...`` in a loop
takes a pass for each variable.
"""

# What each variable can hold; None where the program does not get.
Env: TypeAlias = list[int] | None


def entry_kinds(program: Program) -> list[int]:
    """Return what the variables of a called verb hold when it begins."""
    kinds = [UNBOUND] * len(program.names)
    known = {SLOT_PLAYER: OBJ, SLOT_THIS: OBJ, SLOT_CALLER: OBJ, SLOT_VERB: STR}
    for slot in range(len(built_in_variables(program.version))):
        kinds[slot] = known.get(slot, ANY if slot in INHERITED_SLOTS else INT)
    kinds[SLOT_ARGS] = LIST
    return kinds


def joined(left: Env, right: Env) -> Env:
    """Return what can be where two ways meet."""
    if left is None:
        return None if right is None else list(right)
    if right is None:
        return list(left)
    return [a | b for a, b in zip(left, right, strict=True)]


def _assigned_in(block: n.Block) -> frozenset[int]:
    """Return the variables that anything in a block may set."""
    found: set[int] = set()
    pending: list[n.Node] = list(block)
    while pending:
        node = pending.pop()
        found.update(n.assigned_slots(node))
        pending += n.operands(node)
    return frozenset(found)


class _Ways:
    """Where ``break`` and ``continue`` of one loop lead: what is known there."""

    def __init__(self) -> None:
        self.end: Env = None
        self.head: Env = None


class Kinds:
    """What is known of the values of one program, and of its fork bodies."""

    def __init__(
        self, program: Program, protected: frozenset[str] = frozenset()
    ) -> None:
        """``protected`` are built-in functions that the database replaces."""
        self._program = program
        self.protected = protected
        self._of: dict[int, int] = {}
        self.heads: dict[int, list[int]] = {}
        """By ``id`` of a loop: what each variable can hold when a round begins."""
        self._env: Any = None
        self._loops: list[_Ways] = []
        # For each open `try` what its handlers may find in the variables.
        self._handlers: list[list[int]] = []
        # For each open body of a ``try ... finally``: how many loops are around it,
        # and what its ``finally`` part may set.
        self._finally: list[tuple[int, frozenset[int]]] = []
        # How often each variable was set so far, and that count at each read.
        self._settings = [0] * len(program.names)
        self._settings_at_read: dict[int, int] = {}
        self._changed = True
        unknown = [UNKNOWN] * len(program.names)
        self.passes = 0
        """How often the program was gone through."""
        while self._changed:
            self._changed = False
            self.passes += 1
            self._env = entry_kinds(program)
            self._block(program.body)
            for fork in program.forks:
                self._env = list(unknown)
                self._block(fork.body)

    def of(self, node: n.Node) -> int:
        """Return the types that the value of an expression can have.

        For a variable that is read, `UNBOUND` may be among them.
        """
        return self._of.get(id(node), UNKNOWN)

    # --- variables --------------------------------------------------------

    def _assign(self, slot: int, kind: int) -> None:
        self._env[slot] = kind
        self._settings[slot] += 1
        for found in self._handlers:
            found[slot] |= kind

    def _narrow(self, node: n.Node, kind: int) -> None:
        """An operation that needs an operand of these types did not fail."""
        if (
            type(node) is n.Variable
            and self._settings_at_read.get(id(node)) == self._settings[node.slot]
        ):
            narrowed = self._env[node.slot] & kind
            if narrowed:
                self._env[node.slot] = narrowed

    # --- statements -------------------------------------------------------

    def _block(self, block: n.Block) -> None:
        for statement in block:
            if self._env is None:
                return
            _STATEMENTS[type(statement)](self, statement)

    def run_ExpressionStatement(self, node: n.ExpressionStatement) -> None:
        self._expression(node.value)

    def run_Return(self, node: n.Return) -> None:
        if node.value is not None:
            self._expression(node.value)
        self._env = None

    def run_Break(self, node: n.Break) -> None:
        ways = self._leave(node)
        ways.end = joined(ways.end, self._env)
        self._env = None

    def run_Continue(self, node: n.Continue) -> None:
        ways = self._leave(node)
        ways.head = joined(ways.head, self._env)
        self._env = None

    def _leave(self, node: n.LoopExit) -> _Ways:
        """Return the ways out of a loop, ``finally`` parts on the way being run."""
        loop = len(self._loops) - 1 - node.levels
        for loops_around, assigned in self._finally:
            if loops_around > loop:
                for slot in assigned:
                    self._env[slot] = UNKNOWN
        return self._loops[loop]

    def run_If(self, node: n.If) -> None:
        end: Env = None
        for arm in node.arms:
            self._expression(arm.condition)
            otherwise = list(self._env)
            self._block(arm.body)
            end = joined(end, self._env)
            self._env = otherwise
        self._block(node.otherwise)
        self._env = joined(end, self._env)

    def _loop(self, node: Any, assigned: int) -> None:
        """A ``for`` loop, whose list or ends have been dealt with."""
        ways = self._enter(node)
        after = list(self._env)
        self._assign(node.slot, assigned)
        self._block(node.body)
        self._close(node, ways)
        self._env = joined(after, ways.end)

    def _enter(self, node: Any) -> _Ways:
        """Begin a round with all that is known of the rounds before."""
        self._env = joined(self._env, self.heads.get(id(node)))
        self._note_head(node)
        ways = _Ways()
        self._loops.append(ways)
        return ways

    def _close(self, node: Any, ways: _Ways) -> None:
        self._loops.pop()
        self._env = joined(self._env, ways.head)
        if self._env is not None:
            self._env = joined(self._env, self.heads[id(node)])
            self._note_head(node)

    def _note_head(self, node: Any) -> None:
        known = self.heads.get(id(node))
        if known != self._env:
            if self.passes > MAX_PASSES:
                self._env = [UNKNOWN] * len(self._env)
            self.heads[id(node)] = list(self._env)
            self._changed = True

    def run_ForList(self, node: n.ForList) -> None:
        self._expression(node.items)
        self._loop(node, ANY)

    def run_ForRange(self, node: n.ForRange) -> None:
        start = self._expression(node.start)
        end = self._expression(node.end)
        self._narrow(node.start, INT | OBJ)
        self._narrow(node.end, INT | OBJ)
        self._loop(node, start & end & (INT | OBJ))

    def run_While(self, node: n.While) -> None:
        ways = self._enter(node)
        kind = self._expression(node.condition)
        if node.slot is not None:
            self._assign(node.slot, kind)
        after = list(self._env)
        self._block(node.body)
        self._close(node, ways)
        self._env = joined(after, ways.end)

    def run_Fork(self, node: n.Fork) -> None:
        self._expression(node.delay)
        if node.slot is not None:
            self._assign(node.slot, INT)

    def run_TryExcept(self, node: n.TryExcept) -> None:
        for arm in node.arms:
            self._items(arm.codes or ())
        found = self._protected_block(node.body)
        end = self._env
        for arm in node.arms:
            self._env = list(found)
            if arm.slot is not None:
                self._assign(arm.slot, LIST)
            self._block(arm.body)
            end = joined(end, self._env)
        self._env = end

    def run_TryFinally(self, node: n.TryFinally) -> None:
        assigned = _assigned_in(node.handler)
        self._finally.append((len(self._loops), assigned))
        found = self._protected_block(node.body)
        self._finally.pop()
        fell_through = self._env
        # The body may be left in many ways, each of them through the handler.
        self._env = joined(found, fell_through)
        self._block(node.handler)
        if fell_through is None and self._env is not None:
            self._env = None

    def _protected_block(self, body: n.Block) -> list[int]:
        """The body of a ``try``; return what may hold when an error leaves it."""
        found = list(self._env)
        self._handlers.append(found)
        self._block(body)
        self._handlers.pop()
        return found

    # --- expressions ------------------------------------------------------

    def _expression(self, node: n.Expression) -> int:
        kind: int = _EXPRESSIONS[type(node)](self, node)
        self._of[id(node)] = kind
        return kind & ANY

    def _items(self, items: n.Items) -> None:
        for item in items:
            if type(item) is n.Splice:
                self._expression(item.value)
                self._narrow(item.value, LIST)
            else:
                self._expression(item)  # type: ignore[arg-type]

    def kind_Literal(self, node: n.Literal) -> int:
        return KIND_OF[type(node.value)]

    def kind_Variable(self, node: n.Variable) -> int:
        kind: int = self._env[node.slot]
        if kind & ANY:
            self._env[node.slot] = kind & ANY
        self._settings_at_read[id(node)] = self._settings[node.slot]
        return kind

    def kind_Length(self, node: n.Length) -> int:
        return INT

    def kind_ListDisplay(self, node: n.ListDisplay) -> int:
        self._items(node.items)
        return LIST

    def kind_Property(self, node: n.Property) -> int:
        self._expression(node.object)
        self._expression(node.name)
        self._narrow(node.object, OBJ)
        self._narrow(node.name, STR)
        return ANY

    def kind_VerbCall(self, node: n.VerbCall) -> int:
        self._expression(node.object)
        self._expression(node.name)
        self._items(node.arguments)
        self._narrow(node.object, OBJ)
        self._narrow(node.name, STR)
        return ANY

    def kind_FunctionCall(self, node: n.FunctionCall) -> int:
        self._items(node.arguments)
        if node.name in self.protected:
            return ANY
        return RESULTS.get(node.name, ANY)

    def kind_Index(self, node: n.Index) -> int:
        base = self._expression(node.base)
        self._expression(node.index)
        self._narrow(node.base, LIST | STR)
        self._narrow(node.index, INT)
        return ANY if base & LIST else STR

    def kind_Range(self, node: n.Range) -> int:
        base = self._expression(node.base)
        self._expression(node.start)
        self._expression(node.end)
        self._narrow(node.base, LIST | STR)
        self._narrow(node.start, INT)
        self._narrow(node.end, INT)
        return base & (LIST | STR)

    def kind_Negate(self, node: n.Negate) -> int:
        kind = self._expression(node.operand) & NUMBER
        self._narrow(node.operand, kind)
        return kind

    def kind_Not(self, node: n.Not) -> int:
        self._expression(node.operand)
        return INT

    def kind_Binary(self, node: n.Binary) -> int:
        chain: list[n.Expression] = [node]
        while isinstance(left_node := chain[-1].left, n.Binary):  # type: ignore[attr-defined]
            chain.append(left_node)
        kind = self._expression(left_node)
        while chain:
            operator: Any = chain.pop()
            right = self._expression(operator.right)
            kind = self._operation(operator, kind, right)
            self._of[id(operator)] = kind
        return kind

    def _operation(self, node: n.Binary, left: int, right: int) -> int:
        operation = type(node)
        if operation in _ARITHMETIC:
            common = left & right & _ARITHMETIC[operation]
            self._narrow(node.left, common)
            self._narrow(node.right, common)
            return common
        if operation is n.Power:
            return (left & right & INT) | (left & FLOAT)
        if operation is n.In:
            self._narrow(node.right, LIST)
        return INT

    def kind_Logical(self, node: n.Logical) -> int:
        chain: list[n.Expression] = [node]
        while isinstance(left_node := chain[-1].left, n.Logical):  # type: ignore[attr-defined]
            chain.append(left_node)
        kind = self._expression(left_node)
        while chain:
            operator: Any = chain.pop()
            skipped = list(self._env)
            kind |= self._expression(operator.right)
            self._env = joined(self._env, skipped)
            self._of[id(operator)] = kind
        return kind

    def kind_Conditional(self, node: n.Conditional) -> int:
        self._expression(node.condition)
        before = list(self._env)
        kind = self._expression(node.consequent)
        after = self._env
        self._env = before
        kind |= self._expression(node.alternate)
        self._env = joined(after, self._env)
        return kind

    def kind_Assign(self, node: n.Assign) -> int:
        target = node.target
        indexed: list[Any] = []
        while isinstance(target, n.Index | n.Range):
            indexed.append(target)
            target = target.base
        base = 0
        if type(target) is n.Property:
            self._expression(target.object)
            self._expression(target.name)
        elif indexed:
            # The value may set the variable, but it is this base that is changed.
            base = self._expression(target) & (LIST | STR)
        for link in reversed(indexed):
            for part in (
                (link.start, link.end) if type(link) is n.Range else (link.index,)
            ):
                self._expression(part)
        kind = self._expression(node.value)
        if type(target) is n.Variable:
            if indexed:
                self._assign(target.slot, base)
            else:
                self._assign(target.slot, kind)
        return kind

    def kind_Scatter(self, node: n.Scatter) -> int:
        self._expression(node.value)
        self._narrow(node.value, LIST)
        for target in node.targets:
            if type(target) is n.Required:
                self._assign(target.slot, ANY)
            elif type(target) is n.Rest:
                self._assign(target.slot, LIST)
        for target in node.targets:
            if type(target) is not n.Optional:
                continue
            before = list(self._env)
            if target.default is not None:
                kind = self._expression(target.default)
                self._assign(target.slot, kind | ANY)
            else:
                self._assign(target.slot, before[target.slot] | ANY)
            self._env = joined(self._env, before)
            if target.default is not None:
                self._env[target.slot] = ANY
        return LIST

    def kind_Catch(self, node: n.Catch) -> int:
        self._items(node.codes or ())
        found = list(self._env)
        self._handlers.append(found)
        kind = self._expression(node.body)
        self._handlers.pop()
        after = self._env
        self._env = list(found)
        if node.default is None:
            kind = ANY
        else:
            kind |= self._expression(node.default)
        self._env = joined(after, self._env)
        return kind


_ARITHMETIC: Final[dict[type[n.Node], int]] = {
    n.Add: INT | FLOAT | STR,
    n.Subtract: NUMBER,
    n.Multiply: NUMBER,
    n.Divide: NUMBER,
    n.Modulus: NUMBER,
}

_STATEMENTS: Final = handlers_of(Kinds, "run")
_EXPRESSIONS: Final = handlers_of(Kinds, "kind")
