"""What the variables of a program hold of properties, and what is stale of it.

`Flow` follows the ways of a program as it would run.  A variable holds `Fact` s:
which property its value was computed from, and whether the task has been suspended
since.  Values of arguments, literals and verbs have none, so that ``this``,
``player`` and what a verb returned are never stale.

Handlers are generators that yield the nodes whose facts they want: programs may be
nested as deep as the parser allows, and nothing here recurses.

Which of the stale uses are worth telling, and in what words, is for `dev.stale`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from enum import Enum
from functools import cache
from typing import Any, Final, NamedTuple, TypeAlias

from pymoo.builtins.registry import BuiltinTable
from pymoo.lang import nodes as n
from pymoo.lang.dialect import PYMOO
from pymoo.lang.handlers import handlers_of
from pymoo.lang.program import Program
from pymoo.values import SYSTEM_OBJECT, Obj, fold, literal


class Hazard(Enum):
    """What can go wrong, the worst first; the values are those of JSON reports."""

    LOST_UPDATE = "lost update"
    STALE_VALUE = "stale value"
    STALE_MEMBER = "stale member"


# --- what suspends --------------------------------------------------------

# `yin` and those after it are ToastStunt's.
SUSPENDING_FUNCTIONS: Final = frozenset(
    """
    suspend read commit suspend_if_needed wait_task task_recv worker_request job_wait
    yin exec curl read_http
    """.split()
)
"""Built-in functions after which other tasks may have run."""

# The function, and the verb of most cores.
_IF_NEEDED: Final = "suspend_if_needed"

_UTILITIES: Final = frozenset({"command_utils", "cu"})


def _tells_whether(node: n.Node) -> bool:
    """Whether a call returns true if it has suspended, and false if not."""
    if type(node) is n.FunctionCall:
        if node.name == "call_function" and node.arguments:
            return text_of(node.arguments[0]) == _IF_NEEDED
        return node.name == _IF_NEEDED
    return type(node) is n.VerbCall and text_of(node.name) == _IF_NEEDED


def _verb_suspends(node: n.VerbCall) -> bool:
    """Whether a verb's name says that it suspends."""
    name = text_of(node.name)
    if name is None:
        return False
    if name.startswith("suspend") or name.endswith("_suspended"):
        return True
    if name.startswith("yes_or_no"):
        return True
    return name.startswith("read") and _system_name(node.object) in _UTILITIES


# Words in the names of verbs that say whether an object is still there.
_TESTING: Final = frozenset({"valid", "isa"})

# What these verbs are given is told to somebody, and does no harm if it is late.
_TELLING: Final = ("tell", "notify", "announce")

# Text that is put together from what was read stays what it was.
_TEXT_FUNCTIONS: Final = frozenset({"tostr", "toliteral"})


def text_of(node: n.Node) -> str | None:
    """Return the text of a literal, folded; None for anything else."""
    if type(node) is n.Literal and type(node.value) is str:
        return fold(node.value)
    return None


def is_system(node: n.Node) -> bool:
    """Whether an expression is ``#0``, of which ``$name`` is a property."""
    return (
        type(node) is n.Literal
        and type(node.value) is Obj
        and node.value == SYSTEM_OBJECT
    )


def _system_name(node: n.Node) -> str | None:
    """Return which property of #0 is read, if one is."""
    if type(node) is n.Property and is_system(node.object):
        return text_of(node.name)
    return None


@cache
def _pure_functions() -> frozenset[str]:
    """The built-in functions that only compute a value from their arguments."""
    table = BuiltinTable(PYMOO)
    return frozenset(name for name in table if table[name].is_pure)


# --- what is known of a value ---------------------------------------------

FRESH: Final = 1 << 60
"""In place of a suspension's number: there was none.  Sorts behind all of them."""

NO_SLOT: Final = -1

# What a value has of a property.
_WHOLE: Final = 0  # all of it, or what was computed from it
_COLLECTED: Final = 1  # its value is one among others that were put together
_MEMBER: Final = 2  # it is one of the elements, which a loop goes through


class Fact(NamedTuple):
    """A value was computed from what a property was."""

    suspension: int  # number of the first one since, or FRESH
    read: int  # number of the place that read it
    # Whether a variable that the place names has been set since: it would be
    # another object's property now.
    is_rebound: bool = False
    part: int = _WHOLE
    # The variable that it was just read from.
    slot: int = NO_SLOT


_Facts: TypeAlias = tuple[Fact, ...]
# By slot, without those that have none; never changed in place.  A loop keeps its
# list under a negative number.  None where the program does not get.
_Env: TypeAlias = Mapping[int, _Facts] | None

_MOST_FACTS: Final = 4
"""How many are kept of one value.  A finding names one of them."""

_MOST_LINKS: Final = 8
"""Of longer chains ``a.b.c`` nobody asks whether two are the same."""

_Place: TypeAlias = tuple[Any, ...]


def _merged(*groups: Iterable[Fact]) -> _Facts:
    facts = {fact for group in groups for fact in group}
    if len(facts) < 2:
        return tuple(facts)
    return tuple(sorted(facts)[:_MOST_FACTS])


def _joined(left: _Env, right: _Env) -> _Env:
    """Return what can be where two ways meet."""
    if left is right or right is None:
        return left
    if left is None:
        return right
    joined = dict(left)
    for slot, facts in right.items():
        known = joined.get(slot)
        joined[slot] = facts if known is None else _merged(known, facts)
    return joined


def _place(node: n.Property) -> _Place | None:
    """Return what tells whether two expressions mean the same property.

    None if it is not a chain of names that begins with a variable or an object.
    """
    links: list[Any] = []
    at: n.Node = node
    while type(at) is n.Property:
        name: Any = text_of(at.name)
        if name is None:
            if type(at.name) is not n.Variable:
                return None
            name = at.name.slot
        links.append(name)
        at = at.object
        if len(links) > _MOST_LINKS:
            return None
    if type(at) is n.Variable:
        return at.slot, *reversed(links)
    if type(at) is n.Literal and type(at.value) is Obj:
        return literal(at.value), *reversed(links)
    return None


class Read:
    """A place that reads a property."""

    def __init__(self, node: n.Property) -> None:
        self.node: Final = node
        self.place: Final = _place(node)


class _Ways:
    """Where ``break`` and ``continue`` of one loop lead: what is known there."""

    def __init__(self) -> None:
        self.end: _Env = None
        self.head: _Env = None


_Steps: TypeAlias = Generator[Any, Any, Any]


# --- the ways of a program ------------------------------------------------


class Flow:
    """What the variables of one program hold, wherever it gets."""

    def __init__(self, program: Program) -> None:
        self.found: dict[tuple[Hazard, int, Fact], n.Node] = {}
        """The stale uses: node by hazard, ``id`` of the node, and what is stale."""
        # Places that read, and that suspend; both by number, in the order found.
        self.reads: list[Read] = []
        self.suspensions: list[n.Node] = []
        self._numbers: dict[int, int] = {}
        # By slot: numbers of the reads whose place names that variable.
        self._named: dict[int, set[int]] = {}
        # The suspensions that were passed, for what waits as an operand meanwhile.
        self._passed: list[int] = []
        # Which variables were read, in what order: is one added to?
        self._last_read: dict[int, int] = {}
        self._variables_read = 0
        self._heads: dict[int, _Env] = {}
        self._env: Any = None
        # Behind a condition: what holds if it is true, and if it is false.
        self._if_true: _Env = None
        self._if_false: _Env = None
        # Variables that conditions compare with something, in their order; and, while
        # the arm of an ``if`` is followed, how often its condition did.
        self._compared: list[int] = []
        self._best: Counter[int] = Counter()
        self._loops: list[_Ways] = []
        # For each open ``try`` what its handlers may find.
        self._handlers: list[dict[int, _Facts]] = []
        # As in `interp.kinds`: loops around, and what ``finally`` may set.
        self._finally: list[tuple[int, frozenset[int]]] = []
        # How many ``try ... except`` and catches are around.
        self._guards = 0
        self._changed = True
        while self._changed:
            self._changed = False
            self._env = {}
            self._run(self._block(program.body))

    def _run(self, steps: _Steps) -> None:
        """Run handlers to their end, those of inner nodes when they are asked for."""
        unfinished = [steps]
        facts: Any = None
        while unfinished:
            try:
                asked = unfinished[-1].send(facts)
            except StopIteration as end:
                unfinished.pop()
                facts = end.value
                continue
            facts = None
            if type(asked) is tuple:
                unfinished.append(self._block(asked))
            else:
                unfinished.append(_HANDLERS[type(asked)](self, asked))

    # --- findings ---------------------------------------------------------

    def _note(self, hazard: Hazard, node: n.Node, facts: Iterable[Fact]) -> None:
        for fact in facts:
            if fact.suspension != FRESH:
                self.found.setdefault((hazard, id(node), fact), node)

    def _use(self, node: n.Node, facts: _Facts) -> None:
        """What was computed decides what happens."""
        self._note(
            Hazard.STALE_VALUE,
            node,
            (fact for fact in facts if fact.slot != NO_SLOT and fact.part == _WHOLE),
        )

    def _hand_over(self, node: n.Node, facts: _Facts) -> None:
        """Something is an argument: to bring it there is what many a fork is for."""
        self._use(
            node,
            tuple(
                fact
                for fact in facts
                if fact.suspension == FRESH
                or type(self.suspensions[fact.suspension]) is not n.Fork
            ),
        )

    def _use_index(self, node: n.Node, base: _Facts, index: _Facts) -> None:
        """An index of what was read with it is as old as that, and fits."""
        reads = {fact.read for fact in base}
        self._use(node, tuple(fact for fact in index if fact.read not in reads))

    # --- variables and suspensions ----------------------------------------

    def _number(self, node: n.Node, table: list[Any], entry: Any) -> int:
        number = self._numbers.get(id(node))
        if number is None:
            number = self._numbers[id(node)] = len(table)
            table.append(entry)
        return number

    def _assign(self, slot: int, facts: Iterable[Fact]) -> None:
        facts = _merged(fact._replace(slot=NO_SLOT) for fact in facts)
        env = self._env
        named = self._named.get(slot)
        if named:
            env = {
                other: _merged(
                    fact._replace(is_rebound=True) if fact.read in named else fact
                    for fact in held
                )
                for other, held in env.items()
            }
            facts = _merged(
                fact._replace(is_rebound=True) if fact.read in named else fact
                for fact in facts
            )
        if facts:
            self._env = {**env, slot: facts}
            if self._handlers:
                found = self._handlers[-1]
                found[slot] = _merged(found.get(slot, ()), facts)
        elif slot in env:
            self._env = {other: held for other, held in env.items() if other != slot}
        else:
            self._env = env

    def _suspend(self, node: n.Node) -> None:
        """Other tasks run: nothing is fresh any more."""
        before = self._env
        number = self._number(node, self.suspensions, node)
        self._passed.append(number)
        self._env = {
            slot: self._aged(facts, number) for slot, facts in self._env.items()
        }
        if self._handlers:
            found = self._handlers[-1]
            for slot, facts in self._env.items():
                found[slot] = _merged(found.get(slot, ()), facts)
        if _tells_whether(node):
            self._if_true, self._if_false = self._env, before

    @staticmethod
    def _aged(facts: _Facts, suspension: int) -> _Facts:
        return _merged(
            fact._replace(suspension=suspension) if fact.suspension == FRESH else fact
            for fact in facts
        )

    def _since(self, facts: _Facts, mark: int) -> _Facts:
        """Return an operand's facts after all that was passed since ``mark``."""
        if len(self._passed) == mark:
            return facts
        return self._aged(facts, self._passed[mark])

    def _renew(self, holds: Callable[[Fact], bool]) -> None:
        """Something was tested: what was computed from it still holds."""
        self._env = {
            slot: _merged(
                fact._replace(suspension=FRESH) if holds(fact) else fact
                for fact in facts
            )
            for slot, facts in self._env.items()
        }

    def _renew_arguments(self, arguments: n.Items) -> None:
        """Some function or verb has tested its arguments."""
        for argument in arguments:
            node = argument.target if type(argument) is n.Assign else argument
            if type(node) is n.Variable:
                tested = set(self._env.get(node.slot, ()))
                self._renew(tested.__contains__)

    def _forget(self, place: _Place, written: _Facts) -> None:
        """A property has got a value: what was there before is known to be old.

        Unless the new value was computed from it: then it goes on from there.
        """
        kept = {fact.read for fact in written}
        self._env = {
            slot: left
            for slot, facts in self._env.items()
            if (
                left := tuple(
                    fact
                    for fact in facts
                    if fact.is_rebound
                    or fact.read in kept
                    or fact.part == _MEMBER
                    or self.reads[fact.read].place != place
                )
            )
        }

    # --- statements -------------------------------------------------------

    def _block(self, block: n.Block) -> _Steps:
        for statement in block:
            if self._env is None:
                return
            yield statement

    def do_ExpressionStatement(self, node: n.ExpressionStatement) -> _Steps:
        yield node.value
        if type(node.value) is n.FunctionCall and node.value.name == "raise":
            self._env = None

    def do_Return(self, node: n.Return) -> _Steps:
        if node.value is not None:
            self._use(node, (yield node.value))
        self._env = None

    def do_Break(self, node: n.Break) -> _Steps:
        ways = self._leave(node)
        ways.end = _joined(ways.end, self._env)
        self._env = None
        return
        yield

    def do_Continue(self, node: n.Continue) -> _Steps:
        ways = self._leave(node)
        ways.head = _joined(ways.head, self._env)
        self._env = None
        return
        yield

    def _leave(self, node: n.LoopExit) -> _Ways:
        loop = len(self._loops) - 1 - node.levels
        for loops_around, assigned in self._finally:
            if loops_around > loop:
                self._env = {
                    slot: facts
                    for slot, facts in self._env.items()
                    if slot not in assigned
                }
        return self._loops[loop]

    def do_If(self, node: n.If) -> _Steps:
        end: _Env = None
        for arm in node.arms:
            mark = len(self._compared)
            self._use(arm, (yield arm.condition))
            compared = frozenset(self._compared[mark:])
            del self._compared[mark:]
            self._env, otherwise = self._outcomes(arm.condition)
            self._best.update(compared)
            yield arm.body
            self._best.subtract(compared)
            end = _joined(end, self._env)
            self._env = otherwise
        yield node.otherwise
        self._env = _joined(end, self._env)

    def do_ForList(self, node: n.ForList) -> _Steps:
        facts = yield node.items
        self._use(node, facts)
        # What is stale already has been told of.
        members = _merged(
            fact._replace(part=_MEMBER, slot=NO_SLOT)
            for fact in facts
            if fact.suspension == FRESH
        )
        rest = -1 - id(node)
        self._assign(rest, members)
        ways = self._enter(node)
        after = self._env
        self._assign(node.slot, self._env.get(rest, ()))
        yield node.body
        self._close(node, ways)
        self._env = _joined(after, ways.end)
        if self._env is not None and rest in self._env:
            self._assign(rest, ())

    def do_ForRange(self, node: n.ForRange) -> _Steps:
        start, end = yield from self._operands(node.start, node.end)
        self._use(node, start)
        self._use(node, end)
        ways = self._enter(node)
        after = self._env
        self._assign(node.slot, ())
        yield node.body
        self._close(node, ways)
        self._env = _joined(after, ways.end)

    def do_While(self, node: n.While) -> _Steps:
        ways = self._enter(node)
        facts = yield node.condition
        self._use(node, facts)
        before, after = self._outcomes(node.condition)
        if node.slot is not None:
            self._env = after
            self._assign(node.slot, facts)
            after = self._env
        self._env = before
        if node.slot is not None:
            self._assign(node.slot, facts)
        yield node.body
        self._close(node, ways)
        always = type(node.condition) is n.Literal and node.condition.value == 1
        self._env = _joined(None if always else after, ways.end)

    def _enter(self, node: n.Node) -> _Ways:
        """Begin a round with all that is known of the rounds before."""
        self._note_head(node, _joined(self._env, self._heads.get(id(node))))
        ways = _Ways()
        self._loops.append(ways)
        return ways

    def _close(self, node: n.Node, ways: _Ways) -> None:
        self._loops.pop()
        env = _joined(self._env, ways.head)
        if env is not None:
            self._note_head(node, _joined(env, self._heads[id(node)]))

    def _note_head(self, node: n.Node, env: _Env) -> None:
        self._env = env
        if self._heads.get(id(node)) != env:
            self._heads[id(node)] = env
            self._changed = True

    def do_Fork(self, node: n.Fork) -> _Steps:
        self._use(node, (yield node.delay))
        if node.slot is not None:
            self._assign(node.slot, ())
        # The body is a task of its own, which begins with copies of the variables.
        after, passed = self._env, self._passed
        around = self._loops, self._handlers, self._finally, self._guards
        self._loops, self._handlers, self._finally, self._guards = [], [], [], 0
        self._passed = []
        self._suspend(node)
        yield node.body
        self._loops, self._handlers, self._finally, self._guards = around
        self._env, self._passed = after, passed

    def do_TryExcept(self, node: n.TryExcept) -> _Steps:
        for arm in node.arms:
            yield from self._operands(*(arm.codes or ()))
        self._guards += 1
        found = yield from self._protected(node.body)
        self._guards -= 1
        end = self._env
        for arm in node.arms:
            self._env = found
            if arm.slot is not None:
                self._assign(arm.slot, ())
            yield arm.body
            end = _joined(end, self._env)
        self._env = end

    def do_TryFinally(self, node: n.TryFinally) -> _Steps:
        assigned = frozenset(_assigned_in(node.handler))
        self._finally.append((len(self._loops), assigned))
        found = yield from self._protected(node.body)
        self._finally.pop()
        fell_through = self._env
        self._env = _joined(found, fell_through)
        yield node.handler
        if fell_through is None:
            self._env = None

    def _protected(self, body: Any) -> _Steps:
        """What is inside a ``try``; gives what may hold when an error leaves it."""
        found = dict(self._env)
        self._handlers.append(found)
        facts = yield body
        self._handlers.pop()
        if self._handlers:
            outer = self._handlers[-1]
            for slot, held in found.items():
                outer[slot] = _merged(outer.get(slot, ()), held)
        return found if type(body) is tuple else (found, facts)

    # --- expressions ------------------------------------------------------

    def _operands(self, *nodes: n.Node) -> _Steps:
        """Evaluate in turn; gives the facts of each as they are after the last."""
        found = []
        for node in nodes:
            facts = yield node
            found.append((facts, len(self._passed)))
        return [self._since(facts, mark) for facts, mark in found]

    def do_Literal(self, node: n.Node) -> _Steps:
        return ()
        yield

    do_Length = do_Literal

    def do_Variable(self, node: n.Variable) -> _Steps:
        self._last_read[node.slot] = self._variables_read
        self._variables_read += 1
        facts = self._env.get(node.slot)
        if facts is None:
            return ()
        return tuple(fact._replace(slot=node.slot) for fact in facts)
        yield

    def do_Splice(self, node: n.Splice) -> _Steps:
        return (yield node.value)

    def do_ListDisplay(self, node: n.ListDisplay) -> _Steps:
        return _merged(*(yield from self._operands(*node.items)))

    def do_Property(self, node: n.Property) -> _Steps:
        base, _ = yield from self._operands(node.object, node.name)
        self._use_object(node, node.object, base)
        number = self._numbers.get(id(node))
        if number is None:
            read = Read(node)
            number = self._number(node, self.reads, read)
            for part in read.place or ():
                if type(part) is int:
                    self._named.setdefault(part, set()).add(number)
        return (Fact(FRESH, number),)

    def _use_object(self, node: n.Node, base: n.Node, facts: _Facts) -> None:
        """Something is done to an object."""
        self._use(node, facts)
        if type(base) is n.Variable and not self._guards:
            self._note(
                Hazard.STALE_MEMBER,
                node,
                (fact for fact in facts if fact.part == _MEMBER),
            )

    def do_VerbCall(self, node: n.VerbCall) -> _Steps:
        base, _, *arguments = yield from self._operands(
            node.object, node.name, *node.arguments
        )
        name = text_of(node.name)
        if name is not None and not _TESTING.isdisjoint(name.split("_")):
            self._renew_arguments(node.arguments)
            return ()
        self._use_object(node, node.object, base)
        if name is None or not name.startswith(_TELLING):
            for facts in arguments:
                self._hand_over(node, facts)
        if _verb_suspends(node):
            self._suspend(node)
        return ()

    def do_FunctionCall(self, node: n.FunctionCall) -> _Steps:
        arguments = yield from self._operands(*node.arguments)
        name = node.name
        if name == "call_function" and node.arguments:
            name = text_of(node.arguments[0]) or name
        if name in ("valid", "is_player"):
            self._renew_arguments(node.arguments)
            return ()
        if name == "typeof":
            return ()
        if name in _TEXT_FUNCTIONS:
            return _collected(*arguments)
        if name in _pure_functions():
            return _merged(*arguments)
        if name == "notify":
            arguments = arguments[:1]
        for argument, facts in zip(node.arguments, arguments, strict=False):
            self._hand_over(node, facts)
            if name in ("move", "recycle", "chparent"):
                self._use_object(node, argument, facts)
        if name in SUSPENDING_FUNCTIONS and not _is_nonblocking(node):
            self._suspend(node)
        return ()

    def do_Index(self, node: n.Index) -> _Steps:
        base, index = yield from self._operands(node.base, node.index)
        self._use_index(node, base, index)
        return base

    def do_Range(self, node: n.Range) -> _Steps:
        base, start, end = yield from self._operands(node.base, node.start, node.end)
        self._use_index(node, base, _merged(start, end))
        return base

    def do_Unary(self, node: n.Unary) -> _Steps:
        return (yield node.operand)

    def do_Binary(self, node: n.Binary) -> _Steps:
        left, right = yield from self._operands(node.left, node.right)
        if isinstance(node, n.Less | n.LessEqual | n.Greater | n.GreaterEqual):
            self._compared += (
                operand.slot
                for operand in (node.left, node.right)
                if type(operand) is n.Variable
            )
        if isinstance(node, n.Equal | n.NotEqual | n.In):
            if self._is_test(node.left, left, right) or self._is_test(
                node.right, right, left
            ):
                return ()
        if isinstance(node, n.Equal | n.NotEqual):
            # Whoever keeps the answer wants that of then.
            return self._answered(node, left, right)
        if isinstance(node, n.Add) and (_is_text(node.left) or _is_text(node.right)):
            return _collected(left, right)
        return _merged(left, right)

    def _answered(self, node: n.Node, left: _Facts, right: _Facts) -> _Facts:
        """A comparison uses its operands; gives the facts of its truth value."""
        self._use(node, left)
        self._use(node, right)
        return _collected(left, right)

    def _is_test(self, node: n.Node, old: _Facts, new: _Facts) -> bool:
        """Whether what was read before is compared with what is there now."""
        if type(node) is not n.Variable:
            return False
        places = {
            self.reads[fact.read].place
            for fact in new
            if fact.suspension == FRESH and fact.slot == NO_SLOT
        }
        places.discard(None)
        if not places or not any(
            fact.part == _MEMBER or self.reads[fact.read].place in places
            for fact in old
        ):
            return False
        tested = {fact.read for fact in old}
        self._renew(
            lambda fact: fact.read in tested or self.reads[fact.read].place in places
        )
        return True

    def _outcomes(self, node: n.Expression) -> tuple[_Env, _Env]:
        """Return what holds where a condition is true, and false.

        It is what was evaluated last.
        """
        if isinstance(node, n.Logical | n.Not) or _tells_whether(node):
            return self._if_true, self._if_false
        return self._env, self._env

    def _decide(self, if_true: _Env, if_false: _Env) -> None:
        """End a condition that may be decided in several ways."""
        self._if_true, self._if_false = if_true, if_false
        self._env = _joined(if_true, if_false)

    def do_Not(self, node: n.Not) -> _Steps:
        facts = yield node.operand
        if_true, if_false = self._outcomes(node.operand)
        self._decide(if_false, if_true)
        return facts

    def do_And(self, node: n.And) -> _Steps:
        self._use(node, (yield node.left))
        self._env, skipped = self._outcomes(node.left)
        right = yield node.right
        if_true, if_false = self._outcomes(node.right)
        self._decide(if_true, _joined(if_false, skipped))
        return right

    def do_Or(self, node: n.Or) -> _Steps:
        # Its value is the left one only if nothing came after that.
        left = yield node.left
        skipped, self._env = self._outcomes(node.left)
        right = yield node.right
        if_true, if_false = self._outcomes(node.right)
        self._decide(_joined(if_true, skipped), if_false)
        return _merged(left, right)

    def do_Conditional(self, node: n.Conditional) -> _Steps:
        self._use(node, (yield node.condition))
        self._env, before = self._outcomes(node.condition)
        consequent = yield node.consequent
        after = self._env
        self._env = before
        alternate = yield node.alternate
        self._env = _joined(after, self._env)
        return _merged(consequent, alternate)

    def do_Assign(self, node: n.Assign) -> _Steps:
        target = node.target
        indexed: list[n.Index | n.Range] = []
        while isinstance(target, n.Index | n.Range):
            indexed.append(target)
            target = target.base
        parts: list[n.Node] = []
        if type(target) is n.Property:
            parts = [target.object, target.name]
        elif indexed:
            parts = [target]
        first, mark = len(parts), self._variables_read
        for link in reversed(indexed):
            parts += (
                (link.start, link.end) if isinstance(link, n.Range) else (link.index,)
            )
        *evaluated, value = yield from self._operands(*parts, node.value)
        indexes = _merged(*evaluated[first:])
        if type(target) is n.Property:
            self._use_object(node, target.object, evaluated[0])
            self._write(node, target, _merged(value, indexes))
            return value
        assert type(target) is n.Variable
        if indexed:
            self._use_index(node, evaluated[0], indexes)
            value = (*evaluated[0], *value)
        if (
            indexed
            or self._last_read.get(target.slot, -1) >= mark
            or self._best[target.slot] > 0
        ):
            # More is put to what it holds, or it is the largest so far.
            own = [fact for fact in value if fact.slot == target.slot]
            value = (*own, *_collected(fact for fact in value if fact not in own))
        self._assign(target.slot, value)
        return value

    def _write(self, node: n.Assign, target: n.Property, facts: _Facts) -> None:
        place = _place(target)
        same = [
            fact
            for fact in facts
            if place is not None
            and self.reads[fact.read].place == place
            and not fact.is_rebound
            and fact.part != _MEMBER
        ]
        self._note(Hazard.LOST_UPDATE, node, same)
        self._use(node, facts)
        if place is not None:
            self._forget(place, facts)

    def do_Scatter(self, node: n.Scatter) -> _Steps:
        facts = yield node.value
        for target in node.targets:
            if type(target) is not n.Optional:
                self._assign(target.slot, facts)
        for target in node.targets:
            if type(target) is not n.Optional:
                continue
            before = self._env
            default = ()
            if target.default is not None:
                default = yield target.default
            self._assign(target.slot, _merged(facts, default))
            self._env = _joined(self._env, before)
        return facts

    def do_Catch(self, node: n.Catch) -> _Steps:
        yield from self._operands(*(node.codes or ()))
        self._guards += 1
        found, facts = yield from self._protected(node.body)
        self._guards -= 1
        after = self._env
        self._env = found
        if node.default is not None:
            default = yield node.default
            facts = _merged(facts, default)
        self._env = _joined(after, self._env)
        return facts


def _is_text(node: n.Node) -> bool:
    return type(node) is n.Literal and type(node.value) is str


def _collected(*groups: Iterable[Fact]) -> _Facts:
    """Return the facts of what is put together from several values."""
    return _merged(fact._replace(part=_COLLECTED) for group in groups for fact in group)


def _is_nonblocking(node: n.FunctionCall) -> bool:
    """Whether it is ``read(connection, 1)``, which takes what is there."""
    if node.name != "read" or len(node.arguments) < 2:
        return False
    flag = node.arguments[1]
    return type(flag) is n.Literal and bool(flag.value)


def _assigned_in(block: n.Block) -> set[int]:
    """Return the variables that anything in a block may set."""
    found: set[int] = set()
    pending: list[n.Node] = list(block)
    while pending:
        node = pending.pop()
        found.update(n.assigned_slots(node))
        pending += n.operands(node)
    return found


_HANDLERS: Final = handlers_of(Flow, "do")
