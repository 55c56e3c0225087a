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
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from pymoo.lang import nodes as n
from pymoo.lang.handlers import handlers_of
from pymoo.lang.lexer import lexicon
from pymoo.lang.names import CURRENT_VERSION
from pymoo.lang.program import Program
from pymoo.values import SYSTEM_OBJECT, UNMETERED, Meter, Obj, fold, literal


def unparse(
    program: Program,
    *,
    fully_parenthesized: bool = False,
    indent: bool = True,
    fork: int | None = None,
    meter: Meter = UNMETERED,
) -> list[str]:
    """Return the lines of a program, or of the body of its fork number ``fork``.

    A textdump holds them ``fully_parenthesized`` and without ``indent``: then
    operands that are operations themselves stand in parentheses whether they
    need them or not.
    """
    block = program.body if fork is None else program.forks[fork].body
    text = _Writer(program.names, fully_parenthesized).line
    lines = []
    for level, word, node in layout(block):
        line = text(word, node)
        meter.spend(1 + len(line))
        lines.append("  " * level + line if indent else line)
    return lines


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


# --- the text of a line ---------------------------------------------------

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
}

# What a text is made of.
_Pieces: TypeAlias = tuple[str | n.Node, ...]


class _Writer:
    """Writes lines with the names of one program.

    ``unparse_X`` gives the pieces of a node X, or of its line behind the keyword.
    """

    def __init__(self, names: tuple[str, ...], fully_parenthesized: bool) -> None:
        self.names = names
        # Operands that hold less tightly get parentheses even where the
        # operation does not ask for it.
        self.least = _POSTFIX if fully_parenthesized else 0

    def line(self, word: str, node: n.Node) -> str:
        """Return the text of a line of the layout, without its indentation."""
        if word in _CLOSING:
            return word
        pending: list[str | n.Node] = [node]  # the next piece last
        written = [word]
        while pending:
            piece = pending.pop()
            if isinstance(piece, str):
                written.append(piece)
            else:
                pending += _UNPARSE[type(piece)](self, piece)[::-1]
        return "".join(written)

    # --- statements -------------------------------------------------------

    def unparse_ExpressionStatement(self, node: n.ExpressionStatement) -> _Pieces:
        return node.value, ";"

    def unparse_Return(self, node: n.Return) -> _Pieces:
        return ("return;",) if node.value is None else ("return ", node.value, ";")

    def unparse_Break(self, node: n.Break) -> _Pieces:
        return "break", *self.name(node.slot), ";"

    def unparse_Continue(self, node: n.Continue) -> _Pieces:
        return "continue", *self.name(node.slot), ";"

    def unparse_IfArm(self, node: n.IfArm) -> _Pieces:
        return " (", node.condition, ")"

    def unparse_ForList(self, node: n.ForList) -> _Pieces:
        return *self.name(node.slot), " in (", node.items, ")"

    def unparse_ForRange(self, node: n.ForRange) -> _Pieces:
        return *self.name(node.slot), " in [", node.start, "..", node.end, "]"

    def unparse_While(self, node: n.While) -> _Pieces:
        return *self.name(node.slot), " (", node.condition, ")"

    def unparse_Fork(self, node: n.Fork) -> _Pieces:
        return *self.name(node.slot), " (", node.delay, ")"

    def unparse_TryExcept(self, node: n.TryExcept) -> _Pieces:
        return ()

    def unparse_TryFinally(self, node: n.TryFinally) -> _Pieces:
        return ()

    def unparse_ExceptArm(self, node: n.ExceptArm) -> _Pieces:
        return *self.name(node.slot), " (", *_codes(node.codes), ")"

    def name(self, slot: int | None) -> tuple[str, ...]:
        """Return the name that a statement may have, behind a blank."""
        return () if slot is None else (" ", self.names[slot])

    # --- operators --------------------------------------------------------

    def operand(self, operand: n.Node, precedence: int) -> _Pieces:
        """Return an operand of something that holds it so tightly."""
        held = _PRECEDENCES[type(operand)]
        if held < precedence or held < self.least:
            return "(", operand, ")"
        return (operand,)

    def unparse_Binary(self, node: n.Binary | n.Logical) -> _Pieces:
        kind = type(node)
        precedence = _PRECEDENCES[kind]
        left = self.operand(node.left, precedence)
        right = self.operand(node.right, precedence + 1)
        return *left, _OPERATORS[kind], *right

    unparse_Logical = unparse_Binary

    def unparse_Power(self, node: n.Power) -> _Pieces:
        left = self.operand(node.left, _POWER + 1)
        return *left, " ^ ", *self.operand(node.right, _POWER)

    def unparse_Negate(self, node: n.Negate) -> _Pieces:
        return "-", *self.operand(node.operand, _UNARY)

    def unparse_Not(self, node: n.Not) -> _Pieces:
        return "!", *self.operand(node.operand, _UNARY)

    def unparse_Conditional(self, node: n.Conditional) -> _Pieces:
        condition = self.operand(node.condition, _CONDITIONAL + 1)
        alternate = self.operand(node.alternate, _CONDITIONAL + 1)
        return *condition, " ? ", node.consequent, " | ", *alternate

    def unparse_Assign(self, node: n.Assign) -> _Pieces:
        return node.target, " = ", node.value

    def unparse_Scatter(self, node: n.Scatter) -> _Pieces:
        return "{", *_separated(node.targets), "} = ", node.value

    def unparse_Required(self, node: n.Required) -> _Pieces:
        return (self.names[node.slot],)

    def unparse_Optional(self, node: n.Optional) -> _Pieces:
        default = () if node.default is None else (" = ", node.default)
        return "?", self.names[node.slot], *default

    def unparse_Rest(self, node: n.Rest) -> _Pieces:
        return "@", self.names[node.slot]

    # --- postfix ----------------------------------------------------------

    def unparse_Property(self, node: n.Property) -> _Pieces:
        name = _plain_name(node.name)
        if name is not None and _is_system(node.object):
            return "$", name
        # Digits and a dot would be a number.
        number = type(node.object) is n.Literal and type(node.object.value) is int
        base = self.operand(node.object, _POSTFIX)
        return *base, " ." if number else ".", *_name(name, node.name)

    def unparse_VerbCall(self, node: n.VerbCall) -> _Pieces:
        name = _plain_name(node.name)
        arguments = ("(", *_separated(node.arguments), ")")
        if name is not None and _is_system(node.object):
            return "$", name, *arguments
        base = self.operand(node.object, _POSTFIX)
        return *base, ":", *_name(name, node.name), *arguments

    def unparse_Index(self, node: n.Index) -> _Pieces:
        return *self.operand(node.base, _POSTFIX), "[", node.index, "]"

    def unparse_Range(self, node: n.Range) -> _Pieces:
        base = self.operand(node.base, _POSTFIX)
        return *base, "[", node.start, "..", node.end, "]"

    # --- atoms ------------------------------------------------------------

    def unparse_Literal(self, node: n.Literal) -> _Pieces:
        return (literal(node.value),)

    def unparse_Variable(self, node: n.Variable) -> _Pieces:
        return (self.names[node.slot],)

    def unparse_Length(self, node: n.Length) -> _Pieces:
        return ("$",)

    def unparse_ListDisplay(self, node: n.ListDisplay) -> _Pieces:
        return "{", *_separated(node.items), "}"

    def unparse_Splice(self, node: n.Splice) -> _Pieces:
        return "@", node.value

    def unparse_FunctionCall(self, node: n.FunctionCall) -> _Pieces:
        return node.name, "(", *_separated(node.arguments), ")"

    def unparse_Catch(self, node: n.Catch) -> _Pieces:
        default = () if node.default is None else (" => ", node.default)
        return "`", node.body, " ! ", *_codes(node.codes), *default, "'"


_UNPARSE: Final = handlers_of(_Writer, "unparse")


def _separated(nodes: Sequence[n.Node]) -> list[str | n.Node]:
    pieces: list[str | n.Node] = []
    for node in nodes:
        pieces += (node, ", ")
    return pieces[:-1]


def _codes(codes: n.Items | None) -> Sequence[str | n.Node]:
    return ("ANY",) if codes is None else _separated(codes)


def _plain_name(name: n.Expression) -> str | None:
    """Return the name of a property or verb if it needs no parentheses."""
    if type(name) is not n.Literal or type(name.value) is not str:
        return None
    return name.value if is_identifier(name.value) else None


def _name(plain: str | None, name: n.Expression) -> _Pieces:
    return ("(", name, ")") if plain is None else (plain,)


def _is_system(node: n.Expression) -> bool:
    return (
        type(node) is n.Literal
        and type(node.value) is Obj
        and node.value == SYSTEM_OBJECT
    )
