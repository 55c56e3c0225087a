"""The abstract syntax of a MOO program: one class per construct.

Order: expressions (atoms, postfix, operators, the rest), then statements.  A
grammar rule, its node and its handlers share one name: rule ``for_range``, class
`ForRange`, ``exec_ForRange`` in the walker, ``unparse_ForRange``.

Nodes are plain immutable values.  Variables are slot numbers of the verb's
`Program.names`; `names` says how they are given.  A program never holds the same
node object twice, so ``id(node)`` names a place in it.

``needs_stack`` tells the walker whether evaluating an expression can reach a call
(which may suspend, or look at the activation) or a ``$``: only then must the
operands to its left stand on the activation's operand stack.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from attrs import Factory, field, fields, frozen

from pymoo.values import Value


@frozen
class Node:
    """Anything a program is made of."""


def _derived(compute: object) -> bool:
    """A field that follows from the others and takes no part in comparisons."""
    default = Factory(compute, takes_self=True)  # type: ignore[call-overload]
    return field(default=default, init=False, eq=False, repr=False)  # type: ignore[no-any-return]


@frozen
class Expression(Node):
    """Something that has a value."""

    # Each kind says how it follows from its operands.
    needs_stack: bool = _derived(lambda node: True)


# --- atoms ----------------------------------------------------------------


@frozen
class Literal(Expression):
    """A number, string, object or error: ``12  3.5  "text"  #7  E_PERM``."""

    # Python holds 1, 1.0 and #1 for equal; two literals are the same only if
    # they are of one type.
    value: Value = field(eq=lambda value: (type(value), repr(value)))
    needs_stack: bool = _derived(lambda node: False)


@frozen
class Variable(Expression):
    """A variable, read or (as the target of `Assign`) written."""

    slot: int
    needs_stack: bool = _derived(lambda node: False)


@frozen
class Length(Expression):
    """``$`` inside brackets: the length of what is being indexed."""

    needs_stack: bool = _derived(lambda node: True)


@frozen
class Splice(Node):
    """``@list`` among the items of a list or the arguments of a call."""

    value: Expression
    needs_stack: bool = _derived(lambda node: node.value.needs_stack)


Item: TypeAlias = Expression | Splice
Items: TypeAlias = tuple[Item, ...]


def _any_needs_stack(*nodes: Node) -> bool:
    return any(node.needs_stack for node in nodes)  # type: ignore[attr-defined]


@frozen
class ListDisplay(Expression):
    """``{a, @b, c}``."""

    items: Items
    needs_stack: bool = _derived(lambda node: _any_needs_stack(*node.items))


# --- postfix --------------------------------------------------------------


@frozen
class Property(Expression):
    """``object.name``, ``object.(expression)``; ``$name`` is ``#0.name``."""

    object: Expression
    name: Expression
    needs_stack: bool = _derived(lambda node: _any_needs_stack(node.object, node.name))


@frozen
class VerbCall(Expression):
    """``object:name(arguments)``, ``object:(expression)(arguments)``."""

    object: Expression
    name: Expression
    arguments: Items
    needs_stack: bool = _derived(lambda node: True)


@frozen
class FunctionCall(Expression):
    """``name(arguments)``: a built-in function, by its proper name."""

    name: str
    arguments: Items
    needs_stack: bool = _derived(lambda node: True)


@frozen
class Index(Expression):
    """``base[index]``."""

    base: Expression
    index: Expression
    needs_stack: bool = _derived(lambda node: _any_needs_stack(node.base, node.index))


@frozen
class Range(Expression):
    """``base[start..end]``."""

    base: Expression
    start: Expression
    end: Expression
    needs_stack: bool = _derived(
        lambda node: _any_needs_stack(node.base, node.start, node.end)
    )


# --- operators ------------------------------------------------------------


@frozen
class Unary(Expression):
    """An operator before its operand."""

    operand: Expression
    needs_stack: bool = _derived(lambda node: node.operand.needs_stack)


@frozen
class Negate(Unary):
    """``-operand``, unless the operand is a numeric literal."""


@frozen
class Not(Unary):
    """``!operand``."""


@frozen
class Binary(Expression):
    """An operator between two operands, both always evaluated."""

    left: Expression
    right: Expression
    needs_stack: bool = _derived(lambda node: _any_needs_stack(node.left, node.right))


@frozen
class Add(Binary):
    """``left + right``."""


@frozen
class Subtract(Binary):
    """``left - right``."""


@frozen
class Multiply(Binary):
    """``left * right``."""


@frozen
class Divide(Binary):
    """``left / right``."""


@frozen
class Modulus(Binary):
    """``left % right``."""


@frozen
class Power(Binary):
    """``left ^ right``, grouping to the right."""


@frozen
class Equal(Binary):
    """``left == right``."""


@frozen
class NotEqual(Binary):
    """``left != right``."""


@frozen
class Less(Binary):
    """``left < right``."""


@frozen
class LessEqual(Binary):
    """``left <= right``."""


@frozen
class Greater(Binary):
    """``left > right``."""


@frozen
class GreaterEqual(Binary):
    """``left >= right``."""


@frozen
class In(Binary):
    """``left in right``."""


@frozen
class Logical(Expression):
    """An operator that may leave its right operand alone."""

    left: Expression
    right: Expression
    needs_stack: bool = _derived(lambda node: _any_needs_stack(node.left, node.right))


@frozen
class And(Logical):
    """``left && right``."""


@frozen
class Or(Logical):
    """``left || right``."""


@frozen
class Conditional(Expression):
    """``condition ? consequent | alternate``."""

    condition: Expression
    consequent: Expression
    alternate: Expression
    needs_stack: bool = _derived(
        lambda node: _any_needs_stack(node.condition, node.consequent, node.alternate)
    )


# --- the rest of the expressions ------------------------------------------


@frozen
class Assign(Expression):
    """``target = value``.

    The target is a `Variable`, a `Property`, an `Index` of a target, or a `Range`
    of a target (outermost only).
    """

    target: Expression
    value: Expression
    needs_stack: bool = _derived(lambda node: _any_needs_stack(node.target, node.value))


@frozen
class Required(Node):
    """``name`` among the targets of a scattering assignment."""

    slot: int


@frozen
class Optional(Node):
    """``?name`` or ``?name = default``."""

    slot: int
    default: Expression | None


@frozen
class Rest(Node):
    """``@name``: what the other targets leave."""

    slot: int


Target: TypeAlias = Required | Optional | Rest


@frozen
class Scatter(Expression):
    """``{a, ?b = default, @c} = value``."""

    targets: tuple[Target, ...]
    value: Expression
    needs_stack: bool = _derived(
        lambda node: _any_needs_stack(
            node.value,
            *(
                target.default
                for target in node.targets
                if type(target) is Optional and target.default is not None
            ),
        )
    )


@frozen
class Catch(Expression):
    """```body ! codes => default'``; ``codes`` None stands for ANY."""

    body: Expression
    codes: Items | None
    default: Expression | None
    needs_stack: bool = _derived(
        lambda node: _any_needs_stack(
            node.body,
            *(node.codes or ()),
            *(() if node.default is None else (node.default,)),
        )
    )


# --- statements -----------------------------------------------------------


@frozen
class Statement(Node):
    """Something that is done."""


Block: TypeAlias = tuple[Statement, ...]


@frozen
class ExpressionStatement(Statement):
    """``value;``."""

    value: Expression


@frozen
class IfArm(Node):
    """``if (condition)`` or ``elseif (condition)`` and what it guards."""

    condition: Expression
    body: Block


@frozen
class If(Statement):
    """``if ... elseif ... else ... endif``; an empty ``else`` is none."""

    arms: tuple[IfArm, ...]
    otherwise: Block


@frozen
class ForList(Statement):
    """``for name in (items) ... endfor``."""

    slot: int
    items: Expression
    body: Block


@frozen
class ForRange(Statement):
    """``for name in [start..end] ... endfor``."""

    slot: int
    start: Expression
    end: Expression
    body: Block


@frozen
class While(Statement):
    """``while (condition)`` or ``while name (condition)``."""

    slot: int | None
    condition: Expression
    body: Block


@frozen
class Fork(Statement):
    """``fork (delay)`` or ``fork name (delay)``; the body is a task of its own."""

    slot: int | None
    delay: Expression
    body: Block


@frozen
class Return(Statement):
    """``return;`` or ``return value;``."""

    value: Expression | None


@frozen
class LoopExit(Statement):
    """Leaves a loop or its round; ``levels`` loops lie inside the one meant.

    ``slot`` is the variable of the loop's name where one was written.
    """

    slot: int | None
    levels: int


@frozen
class Break(LoopExit):
    """``break;`` or ``break name;``."""


@frozen
class Continue(LoopExit):
    """``continue;`` or ``continue name;``."""


@frozen
class ExceptArm(Node):
    """``except name (codes)`` and its body; ``codes`` None stands for ANY."""

    slot: int | None
    codes: Items | None
    body: Block


@frozen
class TryExcept(Statement):
    """``try ... except ... endtry``."""

    body: Block
    arms: tuple[ExceptArm, ...]


@frozen
class TryFinally(Statement):
    """``try ... finally ... endtry``."""

    body: Block
    handler: Block


# --- walking ----------------------------------------------------------------


def operands(node: Node) -> list[Node]:
    """Return the nodes that ``node`` evaluates or runs, its arms among them.

    An assignment has those of its target's parts that are evaluated: object, name,
    indexes.
    """
    if type(node) is Assign and type(node.target) is not Variable:
        return [node.value, *_target_parts(node.target)]
    found: list[Node] = []
    for name in _node_fields(type(node)):
        value = getattr(node, name)
        if type(value) is tuple:
            found += value
        elif value is not None:
            found.append(value)
    return found


def assigned_slots(node: Node) -> tuple[int, ...]:
    """Return the variables that ``node`` itself, not its operands, may set."""
    match node:
        case Assign(target=target):
            while isinstance(target, Index | Range):
                target = target.base
            return (target.slot,) if type(target) is Variable else ()
        case Scatter(targets=targets):
            return tuple(target.slot for target in targets)
        case ForList(slot=slot) | ForRange(slot=slot):
            return (slot,)
        case While(slot=slot) | Fork(slot=slot) | ExceptArm(slot=slot):
            return () if slot is None else (slot,)
    return ()


def first_operand(node: Node) -> Node | None:
    """Return which of its `operands` the first instruction of a node belongs to.

    None if that is the node itself.
    """
    match node:
        case TryExcept(arms=(ExceptArm(codes=codes), *_)) | Catch(codes=codes):
            return codes[0] if codes else None
        case TryFinally():
            return None
        case Assign(target=Index() | Range() | Property()):
            target = node.target
            while isinstance(target, Index | Range):
                target = target.base
            return target.object if type(target) is Property else target
        case Assign(value=value) | Scatter(value=value):
            return value
    found = operands(node)
    return found[0] if found else None


def _target_parts(target: Expression) -> list[Node]:
    parts: list[Node] = []
    while True:
        if type(target) is Index:
            parts.append(target.index)
        elif type(target) is Range:
            parts += (target.start, target.end)
        else:
            break
        target = target.base
    if type(target) is Property:
        parts += (target.object, target.name)
    else:
        parts.append(target)
    return parts


_PLAIN: Final = frozenset({"int", "int | None", "bool", "str", "Value"})
"""The types of fields, as written above, that are no nodes or tuples of them."""

_FIELDS: Final[dict[type[Node], tuple[str, ...]]] = {}


def _node_fields(kind: type[Node]) -> tuple[str, ...]:
    """The fields of a kind of node that may hold nodes."""
    names = _FIELDS.get(kind)
    if names is None:
        names = tuple(
            each.name
            for each in fields(kind)
            if each.init and str(each.type) not in _PLAIN
        )
        _FIELDS[kind] = names
    return names
