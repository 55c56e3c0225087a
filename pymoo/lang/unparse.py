"""A `Program` as canonical text: what ``verb_code()`` shows and a textdump holds.

One line for each statement, and for each ``elseif``, ``else``, ``except``,
``finally`` and ``end...``.  `layout` says what stands on which line; tracebacks
count by it, too.

Programs may be nested as deep as the parser allows and have chains of any length:
nothing here recurses.

Source: unparse.c.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias

from pymoo.lang import nodes as n
from pymoo.lang.lexer import lexicon
from pymoo.lang.names import CURRENT_VERSION
from pymoo.lang.program import Program
from pymoo.values import SYSTEM_OBJECT, Obj, fold, literal


def unparse(
    program: Program,
    *,
    fully_parenthesized: bool = False,
    indent: bool = True,
    fork: int | None = None,
) -> list[str]:
    """Return the lines of a program, or of the body of its fork number ``fork``.

    A textdump holds them ``fully_parenthesized`` and without ``indent``: then
    operands that are operations themselves stand in parentheses whether they
    need them or not.
    """
    block = program.body if fork is None else program.forks[fork].body
    text = _Writer(program.names, fully_parenthesized).line
    if not indent:
        return [text(word, node) for _, word, node in layout(block)]
    return ["  " * level + text(word, node) for level, word, node in layout(block)]


def is_identifier(name: str) -> bool:
    """Whether ``name`` can stand behind ``.`` and ``:`` as it is.

    Keywords cannot, those of later versions of the language included.

    Source: unparse.c, ok_identifier.
    """
    return (
        _IDENTIFIER.fullmatch(name) is not None
        and fold(name) not in lexicon(CURRENT_VERSION).keywords
    )


_IDENTIFIER: Final = re.compile("[A-Za-z_][A-Za-z0-9_]*")


# --- what stands on which line --------------------------------------------

Line: TypeAlias = tuple[int, str, n.Node]
"""How deep a line is nested, its keyword, and whose line it is.

That is a statement, or an arm: ``if`` and ``elseif`` belong to their arms, as
``except`` does; ``else``, ``finally`` and the words that begin with ``end`` to the
statement.  Statements without a body have no keyword here.
"""

# Lines, and iterators over those of what is nested.
_Parts: TypeAlias = Iterator[Any]

_CLOSING: Final = frozenset(
    {"else", "endif", "endfor", "endwhile", "endfork", "finally", "endtry"}
)


def layout(block: n.Block) -> Iterator[Line]:
    """Yield the lines of a block in their order."""
    unfinished = [_block(block, 0)]
    while unfinished:
        for part in unfinished[-1]:
            if type(part) is not tuple:
                unfinished.append(part)
                break
            yield part
        else:
            unfinished.pop()


def line_numbers(program: Program) -> dict[int, int]:
    """Return the lines on which errors in statements and arms are reported.

    Keys are the ``id()`` of each statement, `IfArm` and `ExceptArm`.  An error in
    the condition of an arm, or in its codes, is on the line of the arm, any other
    on that of the innermost statement around it.  (For the stores of indexed
    assignments, see `ClassicCode.line_behind`.)

    Source: decompile.c, find_hot_node.
    """
    numbers = {}
    for number, (_, word, node) in enumerate(layout(program.body), program.first_line):
        if word not in _CLOSING:
            numbers[id(node)] = number
        elif word == "endif":
            assert type(node) is n.If
            numbers[id(node)] = numbers[id(node.arms[0])]
    return numbers


def _block(block: n.Block, level: int) -> _Parts:
    for statement in block:
        parts = _PARTS.get(type(statement))
        yield (level, "", statement) if parts is None else parts(statement, level)


def _if(statement: n.If, level: int) -> _Parts:
    word = "if"
    for arm in statement.arms:
        yield level, word, arm
        yield _block(arm.body, level + 1)
        word = "elseif"
    if statement.otherwise:
        yield level, "else", statement
        yield _block(statement.otherwise, level + 1)
    yield level, "endif", statement


def _for(statement: n.ForList | n.ForRange, level: int) -> _Parts:
    yield level, "for", statement
    yield _block(statement.body, level + 1)
    yield level, "endfor", statement


def _while(statement: n.While, level: int) -> _Parts:
    yield level, "while", statement
    yield _block(statement.body, level + 1)
    yield level, "endwhile", statement


def _fork(statement: n.Fork, level: int) -> _Parts:
    yield level, "fork", statement
    yield _block(statement.body, level + 1)
    yield level, "endfork", statement


def _try_except(statement: n.TryExcept, level: int) -> _Parts:
    yield level, "try", statement
    yield _block(statement.body, level + 1)
    for arm in statement.arms:
        yield level, "except", arm
        yield _block(arm.body, level + 1)
    yield level, "endtry", statement


def _try_finally(statement: n.TryFinally, level: int) -> _Parts:
    yield level, "try", statement
    yield _block(statement.body, level + 1)
    yield level, "finally", statement
    yield _block(statement.handler, level + 1)
    yield level, "endtry", statement


_PARTS: Final[dict[type[n.Node], Callable[[Any, int], _Parts]]] = {
    n.If: _if,
    n.ForList: _for,
    n.ForRange: _for,
    n.While: _while,
    n.Fork: _fork,
    n.TryExcept: _try_except,
    n.TryFinally: _try_finally,
}


# --- expressions ----------------------------------------------------------

# How tightly an operation holds its operands.
_ASSIGNMENT: Final = 1
_CONDITIONAL: Final = 2
_LOGICAL: Final = 3
_COMPARISON: Final = 4
_SUM: Final = 5
_PRODUCT: Final = 6
_POWER: Final = 7
_UNARY: Final = 8
_POSTFIX: Final = 9
_ATOM: Final = 10

_PRECEDENCES: Final[dict[type[n.Node], int]] = {
    n.Assign: _ASSIGNMENT,
    n.Scatter: _ASSIGNMENT,
    n.Conditional: _CONDITIONAL,
    n.Or: _LOGICAL,
    n.And: _LOGICAL,
    n.Equal: _COMPARISON,
    n.NotEqual: _COMPARISON,
    n.Less: _COMPARISON,
    n.LessEqual: _COMPARISON,
    n.Greater: _COMPARISON,
    n.GreaterEqual: _COMPARISON,
    n.In: _COMPARISON,
    n.Add: _SUM,
    n.Subtract: _SUM,
    n.Multiply: _PRODUCT,
    n.Divide: _PRODUCT,
    n.Modulus: _PRODUCT,
    n.Power: _POWER,
    n.Negate: _UNARY,
    n.Not: _UNARY,
    n.Property: _POSTFIX,
    n.VerbCall: _POSTFIX,
    n.Index: _POSTFIX,
    n.Range: _POSTFIX,
    n.Literal: _ATOM,
    n.Variable: _ATOM,
    n.Length: _ATOM,
    n.ListDisplay: _ATOM,
    n.FunctionCall: _ATOM,
    n.Catch: _ATOM,
}

_OPERATORS: Final[dict[type[n.Node], str]] = {
    n.Or: " || ",
    n.And: " && ",
    n.Equal: " == ",
    n.NotEqual: " != ",
    n.Less: " < ",
    n.LessEqual: " <= ",
    n.Greater: " > ",
    n.GreaterEqual: " >= ",
    n.In: " in ",
    n.Add: " + ",
    n.Subtract: " - ",
    n.Multiply: " * ",
    n.Divide: " / ",
    n.Modulus: " % ",
    n.Power: " ^ ",
    n.Negate: "-",
    n.Not: "!",
}


# What a text is made of, first to last; and the same still to be written, last to
# first.
_Pieces: TypeAlias = tuple[str | n.Node, ...]
_Pending: TypeAlias = list[str | n.Node]


class _Writer:
    """Writes lines with the names of one program."""

    def __init__(self, names: tuple[str, ...], fully_parenthesized: bool) -> None:
        self.names = names
        # Operands that hold less tightly get parentheses even where the
        # operation does not ask for it.
        self.least = _POSTFIX if fully_parenthesized else 0

    def line(self, word: str, node: n.Node) -> str:
        """Return the text of a line of the layout, without its indentation."""
        if word in _CLOSING:
            return word
        return self._text(*_LINES[type(node)](self, word, node))

    def _text(self, *pieces: str | n.Node) -> str:
        # What is still to be written, the next piece last.
        pending = list(reversed(pieces))
        written = []
        while pending:
            piece = pending.pop()
            if isinstance(piece, str):
                written.append(piece)
            else:
                _ADD[type(piece)](self, piece, pending)
        return "".join(written)

    # Each of these gives the pieces of a line.

    def _expression_statement(self, _: str, node: n.ExpressionStatement) -> _Pieces:
        return node.value, ";"

    def _return(self, _: str, node: n.Return) -> _Pieces:
        return ("return;",) if node.value is None else ("return ", node.value, ";")

    def _break(self, _: str, node: n.LoopExit) -> _Pieces:
        return "break", *self._name(node.slot), ";"

    def _continue(self, _: str, node: n.LoopExit) -> _Pieces:
        return "continue", *self._name(node.slot), ";"

    def _name(self, slot: int | None) -> tuple[str, ...]:
        return () if slot is None else (" ", self.names[slot])

    def _if_arm(self, word: str, node: n.IfArm) -> _Pieces:
        return word, " (", node.condition, ")"

    def _for_list(self, _: str, node: n.ForList) -> _Pieces:
        return "for", *self._name(node.slot), " in (", node.items, ")"

    def _for_range(self, _: str, node: n.ForRange) -> _Pieces:
        name = self._name(node.slot)
        return "for", *name, " in [", node.start, "..", node.end, "]"

    def _while(self, _: str, node: n.While) -> _Pieces:
        return "while", *self._name(node.slot), " (", node.condition, ")"

    def _fork(self, _: str, node: n.Fork) -> _Pieces:
        return "fork", *self._name(node.slot), " (", node.delay, ")"

    def _try(self, _: str, __: n.Node) -> _Pieces:
        return ("try",)

    def _except_arm(self, _: str, node: n.ExceptArm) -> _Pieces:
        name = self._name(node.slot)
        return "except", *name, " (", *_codes(node.codes), ")"

    # Each of these adds the pieces of a node to those pending, last one first.

    def _add_operand(self, pending: _Pending, operand: n.Node, precedence: int) -> None:
        held = _PRECEDENCES[type(operand)]
        if held < precedence or held < self.least:
            pending += (")", operand, "(")
        else:
            pending.append(operand)

    def _add_binary(self, node: Any, pending: _Pending) -> None:
        kind = type(node)
        precedence = _PRECEDENCES[kind]
        self._add_operand(pending, node.right, precedence + 1)
        pending.append(_OPERATORS[kind])
        self._add_operand(pending, node.left, precedence)

    def _add_power(self, node: n.Power, pending: _Pending) -> None:
        self._add_operand(pending, node.right, _POWER)
        pending.append(" ^ ")
        self._add_operand(pending, node.left, _POWER + 1)

    def _add_unary(self, node: n.Negate | n.Not, pending: _Pending) -> None:
        self._add_operand(pending, node.operand, _UNARY)
        pending.append(_OPERATORS[type(node)])

    def _add_conditional(self, node: n.Conditional, pending: _Pending) -> None:
        self._add_operand(pending, node.alternate, _CONDITIONAL + 1)
        pending += (" | ", node.consequent, " ? ")
        self._add_operand(pending, node.condition, _CONDITIONAL + 1)

    def _add_assign(self, node: n.Assign, pending: _Pending) -> None:
        pending += (node.value, " = ", node.target)

    def _add_scatter(self, node: n.Scatter, pending: _Pending) -> None:
        pending += (node.value, "} = ", *_separated(node.targets), "{")

    def _add_required(self, node: n.Required, pending: _Pending) -> None:
        pending.append(self.names[node.slot])

    def _add_rest(self, node: n.Rest, pending: _Pending) -> None:
        pending += (self.names[node.slot], "@")

    def _add_optional(self, node: n.Optional, pending: _Pending) -> None:
        if node.default is not None:
            pending += (node.default, " = ")
        pending += (self.names[node.slot], "?")

    def _add_property(self, node: n.Property, pending: _Pending) -> None:
        name = _plain_name(node.name)
        if name is not None and _is_system(node.object):
            pending += (name, "$")
            return
        pending += (")", node.name, "(") if name is None else (name,)
        # Digits and a dot would be a number.
        number = type(node.object) is n.Literal and type(node.object.value) is int
        pending.append(" ." if number else ".")
        self._add_operand(pending, node.object, _POSTFIX)

    def _add_verb_call(self, node: n.VerbCall, pending: _Pending) -> None:
        pending += (")", *_separated(node.arguments), "(")
        name = _plain_name(node.name)
        if name is not None and _is_system(node.object):
            pending += (name, "$")
            return
        pending += (")", node.name, "(") if name is None else (name,)
        pending.append(":")
        self._add_operand(pending, node.object, _POSTFIX)

    def _add_index(self, node: n.Index, pending: _Pending) -> None:
        pending += ("]", node.index, "[")
        self._add_operand(pending, node.base, _POSTFIX)

    def _add_range(self, node: n.Range, pending: _Pending) -> None:
        pending += ("]", node.end, "..", node.start, "[")
        self._add_operand(pending, node.base, _POSTFIX)

    def _add_function_call(self, node: n.FunctionCall, pending: _Pending) -> None:
        pending += (")", *_separated(node.arguments), "(", node.name)

    def _add_list_display(self, node: n.ListDisplay, pending: _Pending) -> None:
        pending += ("}", *_separated(node.items), "{")

    def _add_splice(self, node: n.Splice, pending: _Pending) -> None:
        pending += (node.value, "@")

    def _add_catch(self, node: n.Catch, pending: _Pending) -> None:
        pending.append("'")
        if node.default is not None:
            pending += (node.default, " => ")
        pending += (*reversed(_codes(node.codes)), " ! ", node.body, "`")

    def _add_literal(self, node: n.Literal, pending: _Pending) -> None:
        pending.append(literal(node.value))

    def _add_variable(self, node: n.Variable, pending: _Pending) -> None:
        pending.append(self.names[node.slot])

    def _add_length(self, _: n.Length, pending: _Pending) -> None:
        pending.append("$")


def _separated(nodes: tuple[n.Node, ...]) -> _Pending:
    """Return the pieces of a list, last one first."""
    pieces: _Pending = []
    for node in reversed(nodes):
        pieces += (node, ", ")
    return pieces[:-1]


def _codes(codes: n.Items | None) -> _Pieces:
    return ("ANY",) if codes is None else tuple(reversed(_separated(codes)))


def _plain_name(name: n.Expression) -> str | None:
    """Return the name of a property or verb if it needs no parentheses."""
    if (
        type(name) is n.Literal
        and type(name.value) is str
        and is_identifier(name.value)
    ):
        return name.value
    return None


def _is_system(node: n.Expression) -> bool:
    return (
        type(node) is n.Literal
        and type(node.value) is Obj
        and node.value == SYSTEM_OBJECT
    )


_LINES: Final[dict[type[n.Node], Callable[[_Writer, str, Any], _Pieces]]] = {
    n.ExpressionStatement: _Writer._expression_statement,
    n.Return: _Writer._return,
    n.Break: _Writer._break,
    n.Continue: _Writer._continue,
    n.IfArm: _Writer._if_arm,
    n.ForList: _Writer._for_list,
    n.ForRange: _Writer._for_range,
    n.While: _Writer._while,
    n.Fork: _Writer._fork,
    n.TryExcept: _Writer._try,
    n.TryFinally: _Writer._try,
    n.ExceptArm: _Writer._except_arm,
}

_ADD: Final[dict[type[n.Node], Callable[[_Writer, Any, _Pending], None]]] = {
    **dict.fromkeys(_OPERATORS, _Writer._add_binary),
    n.Power: _Writer._add_power,
    n.Negate: _Writer._add_unary,
    n.Not: _Writer._add_unary,
    n.Conditional: _Writer._add_conditional,
    n.Assign: _Writer._add_assign,
    n.Scatter: _Writer._add_scatter,
    n.Required: _Writer._add_required,
    n.Rest: _Writer._add_rest,
    n.Optional: _Writer._add_optional,
    n.Property: _Writer._add_property,
    n.VerbCall: _Writer._add_verb_call,
    n.Index: _Writer._add_index,
    n.Range: _Writer._add_range,
    n.FunctionCall: _Writer._add_function_call,
    n.ListDisplay: _Writer._add_list_display,
    n.Splice: _Writer._add_splice,
    n.Catch: _Writer._add_catch,
    n.Literal: _Writer._add_literal,
    n.Variable: _Writer._add_variable,
    n.Length: _Writer._add_length,
}
