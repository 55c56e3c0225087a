"""Expressions as Python statements: one operation that can fail per line.

Every expression leaves its value in an *atom*: a local name, a constant or a
literal.  `ExpressionWriter.stack` is, at each point, what the walker's operand
stack would hold: Python texts, from which it is made should the walker have to
go on from there.
"""

from __future__ import annotations

from math import isfinite
from typing import Any, Final

from pymoo.db.objects import BUILTIN_PROPERTIES
from pymoo.interp import inline
from pymoo.interp.emitter import Emitter, Failure, Point
from pymoo.interp.kinds import ANY, FLOAT, INT, LIST, OBJ, STR, UNBOUND, Kinds
from pymoo.lang import nodes as n
from pymoo.lang.handlers import handlers_of
from pymoo.lang.names import SLOT_ARGSTR, SLOT_PLAYER, built_in_variables
from pymoo.lang.program import Program
from pymoo.values import SHORT, ErrorCode, Obj, Value, fold

Constant = tuple[Any, ...]
"""What a name of generated code means, in plain values (see `Linker._constant`)."""


class ExpressionWriter:
    """Writes the expressions of one function."""

    def __init__(self, program: Program, kinds: Kinds, functions: Any, width: int):
        self.program = program
        self.kinds = kinds
        self.functions = functions
        self.high = (1 << width - 1) - 1
        self.out = Emitter()
        # The statement or arm under way, for the line of errors.
        self.at: n.Node | None = None
        self.stack: list[str] = []
        self.bases: list[str] = []
        # What the text refers to by name: nodes, objects, errors.
        self.constants: dict[Constant, str] = {}
        self._slots: dict[str, int] = {}
        self._temporaries = 0
        self._places: dict[int, int] | None = None
        self._assigned = self._all_assigned()
        self.assigned_anywhere = self._assigned_slots()
        # Whether the activation has its variables all the time, as a wizard's
        # ``player`` is inherited from these.
        self.writes_through = SLOT_PLAYER in program.assigned_inherited
        self.has_handlers = False
        # Whether this is the function of a loop: what was before is not known then.
        self.is_loop = False
        # How many stores by index were written: those leave something when they fail.
        self.stores = 0
        # How many variables every program of that version has; its own come behind.
        self.built_in = len(built_in_variables(program.version))

    def _assigned_slots(self) -> frozenset[int]:
        found: set[int] = set()
        for statement in self.program.body:
            found |= self.assigned(statement)
        return frozenset(found)

    # --- names ------------------------------------------------------------

    def new_name(self, prefix: str = "t") -> str:
        """Return a local name that is not in use."""
        self._temporaries += 1
        return f"{prefix}{self._temporaries}"

    def variable(self, slot: int) -> str:
        """Return the local name of a variable."""
        name = f"v_{self.program.names[slot]}"
        self._slots[name] = slot
        return name

    def place(self, node: n.Node) -> int:
        """Return the place of a node in `Program.nodes`."""
        if self._places is None:
            nodes = self.program.nodes
            self._places = {id(each): place for place, each in enumerate(nodes)}
        return self._places[id(node)]

    def node_name(self, node: n.Node) -> str:
        """Return the name of a node, as generated code may use it."""
        return self.constant("node", self.place(node))

    def constant(self, *key: Any) -> str:
        """Return the name of an object that the text cannot spell."""
        return self.constants.setdefault(key, f"k{len(self.constants) + 1}")

    def is_constant(self, atom: str) -> bool:
        """Whether an atom is one of the names that `constant` gives."""
        return atom[0] == "k" and atom[1:].isdigit()

    def is_protected(self, function: str) -> bool:
        """Whether the database replaces a built-in function."""
        return function in self.kinds.protected

    def literal(self, value: Value) -> str:
        """Return a literal as Python text."""
        kind = type(value)
        if kind is int or kind is str:
            return repr(value)
        if type(value) is float:
            # What is beyond the largest one, Python spells like this.
            return repr(value) if isfinite(value) else "1e999"
        if type(value) is Obj:
            return self.constant("object", int(value))
        assert type(value) is ErrorCode
        return self.constant("error", value.number)

    def point(self, **facts: Any) -> Point:
        """Return the point of an operation whose ticks have been charged."""
        return self.out.point(self.at, **facts)

    def failing(self, node: n.Node, value: str = "", **facts: Any) -> Point:
        """Return the point of an operation that may fail.

        Without the d bit ``node`` then has the error's code for its value, or
        ``value``.
        """
        failure = Failure(node, self.at, self.stack_text(), value)
        return self.point(failure=failure, **facts)

    def repeated(
        self,
        operand: n.Node,
        atom: str,
        stack: list[str],
        ticks: int = 0,
        at: n.Node | None = None,
        **facts: Any,
    ) -> Point:
        """Return the point of an operation that may fail in a way of its own.

        Without the d bit the walker does it once more, and charges ``ticks`` for that:
        from where ``operand`` has got its value, ``atom``, with ``stack`` below.
        """
        text = f"[{', '.join(stack)}]"
        failure = Failure(operand, at or self.at, text, atom, ticks)
        return self.point(failure=failure, **facts)

    def stack_text(self, *more: str) -> str:
        """Return the operand stack as the text of a Python list."""
        return f"[{', '.join((*self.stack, *more))}]"

    # --- operands ---------------------------------------------------------

    def expression(self, node: n.Expression, into: str = "") -> str:
        """Write an expression; return the atom that holds its value.

        ``into`` is the name that it is to be put under, if any.
        """
        atom: str = _EXPRESSIONS[type(node)](self, node, into)
        if into and atom != into:
            self.out.line(f"{into} = {atom}")
            return into
        return atom

    def operand(self, node: n.Expression, *later: n.Node) -> str:
        """Write an operand that waits while ``later`` ones are evaluated."""
        return self.kept(self.expression(node), *later)

    def kept(self, atom: str, *later: n.Node) -> str:
        """Return an atom that has its value while ``later`` nodes are evaluated."""
        slot = self._slots.get(atom)
        if slot is not None and any(slot in self.assigned(each) for each in later):
            copy = self.new_name()
            self.out.line(f"{copy} = {atom}")
            return copy
        return atom

    def subscriptable(self, atom: str) -> str:
        """Return an atom that is no number: Python warns of ``5[1]`` and the like."""
        return atom if atom[0].isalpha() or atom[0] in "'\"(" else self.named(atom)

    def named(self, text: str) -> str:
        """Put a value under a name."""
        name = self.new_name()
        self.out.line(f"{name} = {text}")
        return name

    def assigned(self, node: n.Node) -> frozenset[int]:
        """Return the variables that evaluating ``node`` may set."""
        return self._assigned[id(node)]

    def _all_assigned(self) -> dict[int, frozenset[int]]:
        """Return `assigned` for every node, by its ``id``."""
        found: dict[int, frozenset[int]] = {}
        for node in reversed(self.program.nodes):  # what is inside comes first
            slots = frozenset(n.assigned_slots(node))
            for inner in n.operands(node):
                below = found[id(inner)]
                if below:
                    slots = slots | below if slots else below
            found[id(node)] = slots
        return found

    def condition(self, node: n.Expression) -> str:
        """Write a condition; return a Python expression with the right truth."""
        kind = type(node)
        writer = _CONDITIONS.get(kind)
        if writer is not None:
            text: str | None = writer(self, node)
            if text is not None:
                return text
        atom = self.expression(node)
        # An object or error is false; but its name stands for a number until the end.
        return "False" if self.is_constant(atom) else atom

    def truth_value(self, text: str, into: str) -> str:
        """Put 1 or 0 for a Python condition under a name."""
        name = into or self.new_name()
        self.out.line(f"{name} = 1 if {text} else 0")
        return name

    # --- atoms ------------------------------------------------------------

    def write_Literal(self, node: n.Literal, into: str) -> str:
        return self.literal(node.value)

    def write_Variable(self, node: n.Variable, into: str) -> str:
        return self._read(node, Failure(node, self.at, self.stack_text()))

    def _read(self, node: n.Variable, failure: Failure) -> str:
        """Return the name of a variable, which is tested if it may be unbound."""
        name = self.variable(node.slot)
        if self.kinds.of(node) & UNBOUND:
            point = self.point(unbound=node, failure=failure)
            self.out.line(f"if {name} is None: unbound()", point)
        return name

    def write_Length(self, node: n.Length, into: str) -> str:
        name = into or self.new_name()
        self.out.line(f"{name} = length_of({self.bases[-1]})", self.failing(node))
        return name

    # --- lists ------------------------------------------------------------

    def write_ListDisplay(self, node: n.ListDisplay, into: str) -> str:
        atom = self.items(node.items)
        if atom.startswith("(") and atom != "()":
            name = into or self.new_name()
            self.out.line(f"{name} = {atom}")
            return name
        return atom

    def items(self, items: n.Items) -> str:
        """Write what makes a list of items; return an atom, or a tuple's text."""
        if not items:
            return "()"
        parts: list[str] = []
        spliced = False
        # The item from which on the length may be too much, with its atom and what is
        # before it.  Those behind it are plain.
        first: tuple[n.Node, str, list[str]] | None = None
        for position, item in enumerate(items):
            splice = type(item) is n.Splice
            value: Any = item.value if type(item) is n.Splice else item
            later = items[position + 1 :]
            if position:
                if spliced and (not self._is_plain(value) or _lists_in(parts) == 2):
                    # What is there so far may be too long already.  Two lists are put
                    # together before that is looked at: of many, each no longer than
                    # allowed, no memory would hold the sum.
                    parts = [f"*{self._list(parts, first)}"]
                    first = None
                self.stack.append(f"[{', '.join(parts)}]")
                atom = self.operand(value, *later)
                self.stack.pop()
            else:
                atom = self.operand(value, *later)
                self.out.tick()
            if splice:
                spliced = True
                if self.kinds.of(value) & ANY != LIST:
                    self.out.line(
                        f"if type({atom}) is not tuple: wrong_type()",
                        self._item_point(item, atom, parts),
                    )
                    if self.is_constant(atom):
                        # Python would add up the numbers that stand for constants,
                        # though nothing gets there.
                        atom = self.named(atom)
            if spliced and first is None:
                first = (item, atom, [*parts])
            parts.append(f"*{atom}" if splice else atom)
        if len(parts) == 1 and parts[0].startswith("*"):
            return parts[0][1:]
        if not spliced:  # and so no longer than `tiering.MAX_ITEMS`
            comma = "," if len(parts) == 1 else ""
            return f"({', '.join(parts)}{comma})"
        return self._list(parts, first)

    def _item_point(self, item: n.Node, atom: str, before: list[str]) -> Point:
        """Return the point of adding an item to a list that is begun, or to begin."""
        if not before:
            return self.repeated(item, atom, self.stack, ticks=1)
        return self.repeated(item, atom, [*self.stack, f"[{', '.join(before)}]"])

    def _list(
        self, parts: list[str], first: tuple[n.Node, str, list[str]] | None
    ) -> str:
        """Write the concatenation of parts; return its name.

        ``first`` is the item, with its atom and the parts before it, that may be one
        too many.
        """
        if len(parts) == 1 and parts[0].startswith("*"):
            return parts[0][1:]
        name = self.new_name()
        groups: list[str] = []
        single: list[str] = []
        for part in [*parts, "*"]:
            if not part.startswith("*"):
                single.append(part)
                continue
            if single:
                comma = "," if len(single) == 1 else ""
                groups.append(f"({', '.join(single)}{comma})")
                single = []
            if part != "*":
                groups.append(part[1:])
        # Much faster than a display with stars, on PyPy above all.
        self.out.line(f"{name} = {' + '.join(groups)}")
        assert first is not None  # as one of them is a list
        self.out.line(
            f"if len({name}) > {inline.SHORT_LIST}: check_length({name})",
            self._item_point(*first),
        )
        return name

    def _is_plain(self, node: n.Node) -> bool:
        """Whether evaluating ``node`` does nothing that could be noticed."""
        if type(node) is n.Literal:
            return True
        return type(node) is n.Variable and not self.kinds.of(node) & UNBOUND

    # --- operators --------------------------------------------------------

    def write_Negate(self, node: n.Negate, into: str) -> str:
        atom = self.expression(node.operand)
        self.out.tick()
        name = into or self.new_name()
        if self.kinds.of(node.operand) & ANY == FLOAT:
            self.out.line(f"{name} = -{atom}")
        else:
            self.out.line(f"{name} = negate({atom})", self.failing(node))
        return name

    def write_Not(self, node: n.Not, into: str) -> str:
        return self.truth_value(self.condition_Not(node), into)

    def condition_Not(self, node: n.Not) -> str:
        text = self.condition(node.operand)
        self.out.tick()
        return f"not ({text})" if " " in text else f"not {text}"

    def write_Binary(self, node: n.Binary, into: str) -> str:
        chain: list[Any] = [node]
        while isinstance(chain[-1].left, n.Binary):
            chain.append(chain[-1].left)
        atom = ""
        first = chain[-1].left
        while chain:
            operator = chain.pop()
            if not atom:
                atom = self.operand(first, operator.right)
            self.stack.append(atom)
            right = self.expression(operator.right)
            self.stack.pop()
            self.out.tick()
            atom = self._binary(operator, atom, right, "" if chain else into)
        return atom

    def _binary(self, node: n.Binary, left: str, right: str, into: str) -> str:
        if type(node) in _COMPARISONS:
            text = self._compare(node, left, right)
            if type(node) is n.In:
                return text  # a position, under a name
            return self.truth_value(text, into)
        return self._arithmetic(node, left, right, into)

    def comparison(self, node: n.Binary) -> str:
        """Write a comparison; return it as a Python condition."""
        left = self.operand(node.left, node.right)
        self.stack.append(left)
        right = self.expression(node.right)
        self.stack.pop()
        self.out.tick()
        return self._compare(node, left, right)

    def _arithmetic(self, node: n.Binary, left: str, right: str, into: str) -> str:
        operation = type(node)
        # A FLOAT is tested once it is there, and must not be seen if it fails.
        may_fail = self.kinds.of(node) & FLOAT
        name = self.new_name() if may_fail or not into else into
        function = _FUNCTIONS[operation]
        call = f"{name} = {function}({left}, {right})"
        kinds = self.kinds.of(node.left) & ANY, self.kinds.of(node.right) & ANY
        literal: Any = node.right.value if type(node.right) is n.Literal else None
        common = kinds[0] & kinds[1]
        # The likeliest type first; others are left to the function.
        for kind in (INT, FLOAT, STR):
            if not common & kind:
                continue
            form = inline.arithmetic(operation, kind, literal, self.high)
            if form is None:
                continue
            tests = [
                inline.type_test(atom, known, kind)
                for atom, known in ((left, kinds[0]), (right, kinds[1]))
            ]
            if form.guard:
                tests.append(form.guard.format(a=left, b=right))
            tests = [test for test in tests if test]
            if not tests:
                self._compute(node, form, name, left, right)
                return name
            with self.out.indented(f"if {' and '.join(tests)}:"):
                self._compute(node, form, name, left, right)
            with self.out.indented("else:"):
                self.out.line(call, self.failing(node))
            return name
        self.out.line(call, self.failing(node))
        return name

    def _compute(
        self, node: n.Binary, form: inline.Arithmetic, name: str, left: str, right: str
    ) -> None:
        self.out.line(f"{name} = {form.text.format(a=left, b=right)}")
        for mend in form.mend:
            self.out.line(mend.format(d=name), self.failing(node))

    # --- comparisons ------------------------------------------------------

    def _compare(self, node: n.Binary, left: str, right: str) -> str:
        """Return a comparison as a Python condition (for ``in``, a position)."""
        kinds = self.kinds.of(node.left) & ANY, self.kinds.of(node.right) & ANY
        operation = type(node)
        if operation is n.In:
            name = self.new_name()
            self.out.line(f"{name} = is_in({left}, {right})", self.failing(node))
            return name
        if operation is n.Equal or operation is n.NotEqual:
            return self._equal(node, left, right, *kinds)
        text, function = inline.ORDER[operation]
        for kind in (INT, FLOAT, OBJ):
            if kinds[0] & kinds[1] & kind:
                tests = [
                    inline.type_test(atom, known, kind)
                    for atom, known in ((left, kinds[0]), (right, kinds[1]))
                ]
                tests = [test for test in tests if test]
                text = text.format(a=left, b=right)
                if not tests:
                    return text
                name = self.new_name()
                with self.out.indented(f"if {' and '.join(tests)}:"):
                    self.out.line(f"{name} = {text}")
                with self.out.indented("else:"):
                    self.out.line(
                        f"{name} = {function}({left}, {right})", self.failing(node)
                    )
                return name
        name = self.new_name()
        self.out.line(f"{name} = {function}({left}, {right})", self.failing(node))
        return name

    def _equal(
        self, node: n.Binary, left: str, right: str, left_kind: int, right_kind: int
    ) -> str:
        wanted = type(node) is n.Equal
        if type(node.left) is n.Literal and type(node.right) is not n.Literal:
            left, right = right, left
            left_kind, right_kind = right_kind, left_kind
            literal: Any = node.left.value
        else:
            literal = node.right.value if type(node.right) is n.Literal else None
        sign = "==" if wanted else "!="
        if left_kind == right_kind and left_kind in (INT, OBJ, FLOAT):
            return f"{left} {sign} {right}"
        if right_kind in (INT, OBJ, FLOAT):
            python = inline.PYTHON_TYPES[right_kind]
            text = f"type({left}) is {python} and {left} == {right}"
            return text if wanted else f"not ({text})"
        if type(literal) is str and left_kind & STR:
            folded = fold(literal)
            test = inline.type_test(left, left_kind, STR)
            text = f"{left} == {right}"
            if folded.upper() != folded or folded != literal:
                text = (
                    f"({text} or len({left}) == {len(literal)}"
                    f" and fold({left}) == {folded!r})"
                )
            if test:
                text = f"{test} and {text}"
            return text if wanted else f"not ({text})"
        name = self.new_name()
        self.out.line(f"{name} = same({left}, {right}, vm)", self.point())
        return name if wanted else f"not {name}"

    # --- and, or, ?| ------------------------------------------------------

    def write_Logical(self, node: n.Logical, into: str) -> str:
        return self._logical(node, self.new_name(), self.expression)

    def condition_Logical(self, node: n.Logical) -> str:
        def write(operand: n.Expression, name: str) -> str:
            text = self.condition(operand)
            if text != name:
                self.out.line(f"{name} = {text}")
            return name

        return self._logical(node, self.new_name("b"), write)

    def _logical(self, node: n.Logical, name: str, write: Any) -> str:
        chain: list[Any] = [node]
        while isinstance(chain[-1].left, n.Logical):
            chain.append(chain[-1].left)
        write(chain[-1].left, name)
        while chain:
            operator = chain.pop()
            self.out.tick()
            test = "if not" if type(operator) is n.Or else "if"
            skipped = self.out.fork()
            with self.out.indented(f"{test} {name}:"):
                write(operator.right, name)
                taken = self.out.fork()
            self.out.join(skipped, taken)
        return name

    def write_Conditional(self, node: n.Conditional, into: str) -> str:
        name = into or self.new_name()
        text = self.condition(node.condition)
        self.out.tick()
        before = self.out.fork()
        with self.out.indented(f"if {text}:"):
            self.expression(node.consequent, name)
            taken = self.out.fork()
        self.out.join(before)
        with self.out.indented("else:"):
            self.expression(node.alternate, name)
            other = self.out.fork()
        self.out.join(taken, other)
        return name

    # --- indexes ----------------------------------------------------------

    def write_Index(self, node: n.Index, into: str) -> str:
        base = self.operand(node.base, node.index)
        base = self.subscriptable(base)
        self.stack.append(base)
        self.bases.append(base)
        index = self.expression(node.index)
        self.bases.pop()
        self.stack.pop()
        self.out.tick()
        name = into or self.new_name()
        kind = self.kinds.of(node.base) & (LIST | STR)
        if kind == LIST | STR:
            known = self.kinds.of(node.base) & ANY == kind
            tests = [] if known else [f"(type({base}) is tuple or type({base}) is str)"]
        elif kind:
            tests = [inline.type_test(base, self.kinds.of(node.base) & ANY, kind)]
        else:
            tests = ["False"]
        tests.append(inline.type_test(index, self.kinds.of(node.index) & ANY, INT))
        if type(node.index) is n.Literal and type(node.index.value) is int:
            position = node.index.value
            tests.append(f"len({base}) >= {position}" if position > 0 else "False")
            item = f"{base}[{position - 1}]"
        else:
            tests.append(f"0 < {index} <= len({base})")
            item = f"{base}[{index} - 1]"
        with self.out.indented(f"if {' and '.join(test for test in tests if test)}:"):
            self.out.line(f"{name} = {item}")
        with self.out.indented("else:"):
            self.out.line(f"{name} = index({base}, {index})", self.failing(node))
        return name

    def write_Range(self, node: n.Range, into: str) -> str:
        base = self.operand(node.base, node.start, node.end)
        self.stack.append(base)
        self.bases.append(base)
        start = self.operand(node.start, node.end)
        self.stack.append(start)
        end = self.expression(node.end)
        self.stack.pop()
        self.bases.pop()
        self.stack.pop()
        self.out.tick()
        name = into or self.new_name()
        self.out.line(f"{name} = range_of({base}, {start}, {end})", self.failing(node))
        return name

    # --- properties -------------------------------------------------------

    def write_Property(self, node: n.Property, into: str) -> str:
        base = self.operand(node.object, node.name)
        self.stack.append(base)
        name = self.expression(node.name)
        self.stack.pop()
        self.out.tick()
        point = self.failing(node)
        return self._fetch_property(node.object, node.name, base, name, into, point)

    def _fetch_property(
        self,
        object_node: n.Expression,
        name_node: n.Expression,
        base: str,
        name: str,
        into: str,
        point: Point,
    ) -> str:
        """Write the reading of ``base.name``, which has been paid for."""
        result = into or self.new_name()
        if type(name_node) is n.Literal and type(name_node.value) is str:
            folded = fold(name_node.value)
            if result == base:
                result = self.new_name()
            if folded in inline.PROPERTIES:
                return self._fetch_builtin(object_node, base, folded, result, point)
            # What everybody may read is in a table, once it has been read.  Not under
            # the name of a variable, which must keep its value if this fails.
            result = self.new_name()
            values = self.constant("values", folded)
            test = inline.type_test(base, self.kinds.of(object_node) & ANY, OBJ)
            found = f"{values}({base})"
            self.out.line(
                f"{result} = {found} if {test} else None"
                if test
                else f"{result} = {found}"
            )
            with self.out.indented(f"if {result} is None:"):
                self.out.line(f"{result} = get_named(act, {base}, {folded!r})", point)
            return result
        self.out.line(f"{result} = get_property(act, {base}, {name})", point)
        return result

    def _fetch_builtin(
        self, object_node: n.Expression, base: str, name: str, result: str, point: Point
    ) -> str:
        """Write the reading of a built-in property."""
        test = inline.type_test(base, self.kinds.of(object_node) & ANY, OBJ)
        found = f"find({base})" if not test else f"find({base}) if {test} else None"
        record = self.new_name("r")
        self.out.line(f"{record} = {found}")
        test = f"{record} is None or properties.protected"
        if name == "contents":
            test += f" or len({record}.contents) > {SHORT}"
        with self.out.indented(f"if {test}:"):
            self.out.line(f"{result} = get_named(act, {base}, {name!r})", point)
        with self.out.indented("else:"):
            text = inline.PROPERTIES[name].format(r=record)
            self.out.line(f"{result} = {text}")
        return result

    # --- assignment -------------------------------------------------------

    def write_Assign(self, node: n.Assign, into: str) -> str:
        target = node.target
        if type(target) is n.Variable:
            name = self.variable(target.slot)
            atom = self.expression(node.value, name)
            self.out.tick()
            self.stored(target.slot)
            return atom
        return self._assign_part(node)

    def stored(self, slot: int) -> None:
        """A variable has been set; called verbs may inherit it."""
        if slot not in self.program.assigned_inherited:
            return
        name = self.variable(slot)
        if self.writes_through:
            self.out.line(f"act.vars[{slot}] = {name}")
        else:
            part = slot - SLOT_ARGSTR
            self.out.line(f"act.parse = with_part(act.parse, {part}, {name})")

    def _assign_part(self, node: n.Assign) -> str:
        """An assignment to a property, an index or a range."""
        target = node.target
        links: list[Any] = []
        while isinstance(target, n.Index | n.Range):
            links.append(target)
            target = target.base
        links.reverse()
        indexes: list[n.Expression] = []
        for link in links:
            indexes += (
                (link.start, link.end) if type(link) is n.Range else (link.index,)
            )
        later: list[n.Expression] = [*indexes, node.value]
        depth = len(self.stack)
        object_ = name = ""
        if type(target) is n.Property:
            object_ = self.operand(target.object, target.name, *later)
            self.stack.append(object_)
            name = self.operand(target.name, *later)
            self.stack.append(name)
        bases: list[str] = []
        texts: list[tuple[str, ...]] = []
        if links:
            if type(target) is n.Property:
                self.out.tick()
                point = self.repeated(target.name, name, self.stack[:-1], ticks=1)
                base = self._fetch_property(
                    target.object, target.name, object_, name, "", point
                )
            else:
                assert type(target) is n.Variable
                failure = Failure(node, self.at, self.stack_text(), begins=True)
                base = self.kept(self._read(target, failure), *later)
            for number, link in enumerate(links):
                self.stack.append(base)
                bases.append(base)
                self.bases.append(base)
                parts = (
                    (link.start, link.end) if type(link) is n.Range else (link.index,)
                )
                text: list[str] = []
                for part in parts:
                    later = later[1:]
                    text.append(self.operand(part, *later))
                    self.stack.append(text[-1])
                self.bases.pop()
                texts.append(tuple(text))
                if number < len(links) - 1:
                    fetched = self.new_name()
                    self.out.line(
                        f"{fetched} = index_of_list({base}, {text[0]})",
                        self.repeated(link.index, text[0], self.stack[:-1]),
                    )
                    base = fetched
        # The value of the assignment is what was stored, even ``x[1..2] = x``.
        value = self.operand(node.value, node)
        stack = [*self.stack]
        del self.stack[depth:]
        self._store(node, target, links, bases, texts, value, object_, name, stack)
        return value

    def _store(
        self,
        node: n.Assign,
        target: n.Expression,
        links: list[Any],
        bases: list[str],
        texts: list[tuple[str, ...]],
        value: str,
        object_: str,
        name: str,
        stack: list[str],
    ) -> None:
        """Store from the innermost place outward.

        ``stack`` is what the walker's holds below the value.
        """
        at = self.at
        stored = value
        ticks = 0
        self.stores += len(links)
        for number in range(len(links) - 1, -1, -1):
            outermost = number == 0 and type(target) is n.Variable
            into = self.variable(target.slot) if outermost else self.new_name()  # type: ignore[attr-defined]
            base, text = bases[number], texts[number]
            if type(links[number]) is n.Range:
                self.out.line(
                    f"{into} = range_set({base}, {text[0]}, {text[1]}, {stored})",
                    self.repeated(node.value, value, stack, ticks, at, temporary=value),
                )
            else:
                self.out.tick()
                ticks += 1
                self.out.line(
                    f"{into} = index_set({base}, {text[0]}, {stored})",
                    self.repeated(node.value, value, stack, ticks, at, temporary=value),
                )
            stored = into
            self.at = node
        self.out.tick()
        if type(target) is n.Variable:
            self.stored(target.slot)
        else:
            assert type(target) is n.Property
            if not _is_harmless_name(target.name):
                assert self.at is not None  # within a statement
                self.out.line(f"act.at = {self.place(self.at)}")
            function = "set_property"
            if type(target.name) is n.Literal and type(target.name.value) is str:
                folded = fold(target.name.value)
                name = repr(folded)
                if folded not in BUILTIN_PROPERTIES:
                    function = "set_named"
            if links:
                ticks += 1
                point = self.repeated(
                    node.value, value, stack, ticks, at, temporary=value
                )
            else:
                point = self.failing(node)
            self.out.line(f"{function}(act, {object_}, {name}, {stored})", point)
        self.at = at
        if links and (self.has_handlers or self.is_loop):
            # An earlier store that failed may have left one.
            self.out.line("if act.temporary is not None: act.temporary = None")

    # --- scatter ----------------------------------------------------------

    def write_Scatter(self, node: n.Scatter, into: str) -> str:
        # The targets may overwrite the variable that is taken apart.
        value = self.operand(node.value, node)
        self.out.tick()
        value = self.subscriptable(value)
        targets = node.targets
        kinds = [type(target) for target in targets]
        required = kinds.count(n.Required)
        has_rest = n.Rest in kinds
        count = self.new_name("n")
        if self.kinds.of(node.value) & ANY != LIST:
            self.out.line(
                f"if type({value}) is not tuple: wrong_type()", self.failing(node)
            )
        optional = kinds.count(n.Optional)
        if not has_rest and not optional:
            self.out.line(
                f"if len({value}) != {required}: wrong_count()", self.failing(node)
            )
            names = [self.variable(target.slot) for target in targets]
            if len(names) == len(set(names)):
                comma = "," if len(names) == 1 else ""
                self.out.line(f"{', '.join(names)}{comma} = {value}")
            else:
                for position, name in enumerate(names):
                    self.out.line(f"{name} = {value}[{position}]")
            for target in targets:
                self.stored(target.slot)
            return value
        self.out.line(f"{count} = len({value})")
        test = f"{count} < {required} or {count} > {len(targets)}"
        if has_rest:
            # The rest may be long.
            self.out.line(
                f"if not {required} <= {count} <= {SHORT}:"
                f" check_rest({count}, {required}, vm)",
                self.failing(node),
            )
        else:
            self.out.line(f"if {test}: wrong_count()", self.failing(node))
        self._deal(targets, value, count, required)
        self._defaults(targets, value, count, required)
        return value

    def _deal(
        self, targets: tuple[n.Target, ...], value: str, count: str, required: int
    ) -> None:
        """Give the targets their values, from the left."""
        optional = 0
        position = ""  # as a text, once it depends on the length
        for number, target in enumerate(targets):
            name = self.variable(target.slot)
            kind = type(target)
            place = position or str(number)
            if kind is n.Required:
                self.out.line(f"{name} = {value}[{place}]")
                self.stored(target.slot)
            elif kind is n.Rest:
                behind = len(targets) - 1 - number
                # With fewer values than targets there is nothing for the rest.
                if behind == 0:
                    self.out.line(f"{name} = {value}[{place}:]")
                else:
                    end = f"max({place}, {count} - {behind})"
                    self.out.line(f"{name} = {value}[{place}:{end}]")
                self.stored(target.slot)
            else:
                with self.out.indented(f"if {count} > {required + optional}:"):
                    self.out.line(f"{name} = {value}[{place}]")
                    self.stored(target.slot)
                optional += 1
            if number == len(targets) - 1:
                break
            if position or kind is not n.Required:
                position = position or self.new_name("p")
                match kind:
                    case n.Required:
                        self.out.line(f"{position} += 1")
                    case n.Rest:
                        rest = f"max(0, {count} - {len(targets) - 1})"
                        self.out.line(f"{position} = {place} + {rest}")
                    case n.Optional:
                        given = f"({count} > {required + optional - 1})"
                        self.out.line(f"{position} = {place} + {given}")

    def _defaults(
        self, targets: tuple[n.Target, ...], value: str, count: str, required: int
    ) -> None:
        """Evaluate the defaults of the optional targets that got no value."""
        self.stack.append(value)
        optional = 0
        for target in targets:
            if type(target) is not n.Optional:
                continue
            optional += 1
            if target.default is None:
                continue
            before = self.out.fork()
            with self.out.indented(f"if {count} < {required + optional}:"):
                self.expression(target.default, self.variable(target.slot))
                self.out.tick()
                self.stored(target.slot)
                taken = self.out.fork()
            self.out.join(before, taken)
        self.stack.pop()


def _lists_in(parts: list[str]) -> int:
    """Return how many parts of a list display are lists themselves."""
    return sum(part.startswith("*") for part in parts)


def _is_harmless_name(name: n.Expression) -> bool:
    """Whether setting a property of this name never writes to the log."""
    return (
        type(name) is n.Literal
        and type(name.value) is str
        and fold(name.value) != "wizard"
    )


_FUNCTIONS: Final[dict[type[n.Node], str]] = {
    n.Add: "add",
    n.Subtract: "subtract",
    n.Multiply: "multiply",
    n.Divide: "divide",
    n.Modulus: "modulus",
    n.Power: "power",
}
_COMPARISONS: Final = frozenset((*inline.ORDER, n.Equal, n.NotEqual, n.In))

_EXPRESSIONS: Final[dict[type[n.Node], Any]] = {}
_CONDITIONS: Final[dict[type[n.Node], Any]] = {}


def register(writer: type) -> None:
    """Enter the methods of a class of writers under the nodes they are named after."""
    _EXPRESSIONS.update(handlers_of(writer, "write"))
    _CONDITIONS.update(handlers_of(writer, "condition"))


register(ExpressionWriter)
for _kind in _COMPARISONS:
    _CONDITIONS[_kind] = ExpressionWriter.comparison
