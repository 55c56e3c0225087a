"""Built-in functions on verbs: their definitions, their code, eval()."""

from __future__ import annotations

from typing import Any

from pymoo.builtins.registry import ANY, LIST, OBJ, STR, builtin
from pymoo.db.objects import (
    ARGSPEC_ANY,
    ARGSPEC_NONE,
    ARGSPEC_THIS,
    FLAG_READ,
    FLAG_WRITE,
    PREP_ANY,
    PREP_NONE,
    VERB_DEBUG,
    VERB_EXECUTE,
    VERB_FLAGS,
    VERB_READ,
    VERB_WRITE,
    Object,
    Verbdef,
)
from pymoo.db.permissions import object_allows, verb_allows
from pymoo.db.prepositions import preposition_text
from pymoo.errors import MooError, MooSyntaxError
from pymoo.interp.outcomes import Called, Outcome
from pymoo.interp.vm import Call
from pymoo.interp.words import match_preposition
from pymoo.values import (
    COPIED_PER_STEP,
    E_INVARG,
    E_PERM,
    E_TYPE,
    E_VERBNF,
    SHORT,
    List,
    Obj,
    Value,
    fold,
    folded,
)

_BITS = {"r": VERB_READ, "w": VERB_WRITE, "x": VERB_EXECUTE, "d": VERB_DEBUG}
_LETTERS = [
    "".join(letter for letter, bit in _BITS.items() if flags & bit)
    for flags in range(VERB_FLAGS + 1)
]
INDEXED_STEPS = 8
"""What it counts to enter the names of a verb into the index of its object."""

_ARGSPECS = {"none": ARGSPEC_NONE, "any": ARGSPEC_ANY, "this": ARGSPEC_THIS}
_ARGSPEC_TEXTS = {number: text for text, number in _ARGSPECS.items()}


# --- checks that several share --------------------------------------------


def _object(call: Call, object_: Obj) -> Object:
    record = call.engine.world.find(object_)
    if record is None:
        raise MooError(E_INVARG)
    return record


def _check_descriptor(descriptor: Value) -> None:
    """Raise E_TYPE or E_INVARG unless it is a name or a number from 1.

    Source: verbs.c, validate_verb_descriptor.
    """
    if type(descriptor) is str:
        return
    if type(descriptor) is not int:
        raise MooError(E_TYPE)
    if descriptor <= 0:
        raise MooError(E_INVARG)


def _verb(call: Call, object_: Obj, descriptor: Value) -> Verbdef:
    verbdef = call.engine.find_described_verb(object_, descriptor)
    if verbdef is None:
        raise MooError(E_VERBNF)
    return verbdef


def _readable_verb(call: Call, object_: Obj, descriptor: Value) -> Verbdef:
    """Return a verb that may be read.  Raises: E_TYPE, E_INVARG, E_VERBNF, E_PERM."""
    _check_descriptor(descriptor)
    _object(call, object_)
    verbdef = _verb(call, object_, descriptor)
    if not verb_allows(call.engine.world, call.programmer, verbdef, VERB_READ):
        raise MooError(E_PERM)
    return verbdef


def _expect_index(call: Call, record: Object) -> None:
    """Count what it takes to find verbs again after this one has changed."""
    call.vm.spend(INDEXED_STEPS * len(record.verbs))


def _checked_info(call: Call, info: List) -> tuple[Obj, int, str]:
    """Return what ``{owner, perms, names}`` says.  Raises: E_TYPE, E_INVARG.

    Source: verbs.c, validate_verb_info.
    """
    if len(info) != 3:
        raise MooError(E_TYPE)
    owner, letters, names = info
    if type(owner) is not Obj or type(letters) is not str or type(names) is not str:
        raise MooError(E_TYPE)
    if not call.engine.world.valid(owner):
        raise MooError(E_INVARG)
    flags = 0
    for letter in set(folded(letters, call.vm)):
        if letter not in _BITS:
            raise MooError(E_INVARG)
        flags |= _BITS[letter]
    names = names.lstrip(" ")
    if not names:
        raise MooError(E_INVARG)
    return owner, flags, names


def _checked_args(args: List) -> tuple[int, int, int]:
    """Return what ``{dobj, prep, iobj}`` says.  Raises: E_TYPE, E_INVARG.

    Source: verbs.c, validate_verb_args.
    """
    if len(args) != 3 or any(type(text) is not str for text in args):
        raise MooError(E_TYPE)
    dobj, prep, iobj = (fold(str(text)) for text in args)
    number = {"none": PREP_NONE, "any": PREP_ANY}.get(prep)
    if number is None:
        number = match_preposition(prep)
        if number == PREP_NONE:
            raise MooError(E_INVARG)
    if dobj not in _ARGSPECS or iobj not in _ARGSPECS:
        raise MooError(E_INVARG)
    return _ARGSPECS[dobj], number, _ARGSPECS[iobj]


# --- definitions ----------------------------------------------------------


@builtin("verbs", [OBJ], source="verbs.c, bf_verbs")
def bf_verbs(call: Call, object_: Obj) -> Value:
    """Return the names of the verbs defined on ``object_`` itself.

    Permission: it is readable or yours; otherwise E_PERM.  Raises: E_INVARG.
    """
    record = _object(call, object_)
    if not object_allows(call.engine.world, call.programmer, record, FLAG_READ):
        raise MooError(E_PERM)
    call.vm.spend(len(record.verbs) // 4)
    return tuple(verbdef.names for verbdef in record.verbs)


@builtin("verb_info", [OBJ, ANY], source="verbs.c, bf_verb_info")
def bf_verb_info(call: Call, object_: Obj, descriptor: Value) -> Value:
    """Return {owner, perms, names} of a verb, given by name or by number from 1.

    Permission: the verb is readable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    verbdef = _readable_verb(call, object_, descriptor)
    return verbdef.owner, _LETTERS[verbdef.flags], verbdef.names


@builtin("set_verb_info", [OBJ, ANY, LIST], source="verbs.c, bf_set_verb_info")
def bf_set_verb_info(call: Call, object_: Obj, descriptor: Value, info: List) -> Value:
    """Set {owner, perms, names} of a verb.

    Permission: it is writable or yours and keeps its owner, or a wizard; otherwise
        E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    _check_descriptor(descriptor)
    _object(call, object_)
    owner, flags, names = _checked_info(call, info)
    verbdef = _verb(call, object_, descriptor)
    world = call.engine.world
    if not verb_allows(world, call.programmer, verbdef, VERB_WRITE) or (
        not call.is_wizard and verbdef.owner != owner
    ):
        raise MooError(E_PERM)
    call.vm.scanned(len(names))
    _expect_index(call, world[object_])
    world.set_verb_owner(object_, verbdef, owner)
    world.set_verb_flags(object_, verbdef, flags)
    world.set_verb_names(object_, verbdef, names)
    return 0


@builtin("verb_args", [OBJ, ANY], source="verbs.c, bf_verb_args")
def bf_verb_args(call: Call, object_: Obj, descriptor: Value) -> Value:
    """Return {dobj, prep, iobj} of a verb.

    Permission: the verb is readable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    verbdef = _readable_verb(call, object_, descriptor)
    return (
        _argspec_text(verbdef.dobj),
        preposition_text(verbdef.prep),
        _argspec_text(verbdef.iobj),
    )


def _argspec_text(number: int) -> str:
    """Return what verb_args() shows; a number that only a damaged file has as it is.

    Source: verbs.c, unparse_arg_spec, where the C server panics.
    """
    return _ARGSPEC_TEXTS.get(number) or str(number)


@builtin("set_verb_args", [OBJ, ANY, LIST], source="verbs.c, bf_set_verb_args")
def bf_set_verb_args(call: Call, object_: Obj, descriptor: Value, args: List) -> Value:
    """Set {dobj, prep, iobj} of a verb.

    Permission: the verb is writable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    _check_descriptor(descriptor)
    _object(call, object_)
    dobj, prep, iobj = _checked_args(args)
    verbdef = _verb(call, object_, descriptor)
    world = call.engine.world
    if not verb_allows(world, call.programmer, verbdef, VERB_WRITE):
        raise MooError(E_PERM)
    world.set_verb_args(object_, verbdef, dobj, prep, iobj)
    return 0


@builtin("add_verb", [OBJ, LIST, LIST], source="verbs.c, bf_add_verb")
def bf_add_verb(call: Call, object_: Obj, info: List, args: List) -> Value:
    """Define a verb on ``object_``, without code; return its number.

    Permission: the object is writable or yours, and the owner is you; or a wizard;
        otherwise E_PERM.
    Raises: E_TYPE, E_INVARG.
    """
    owner, flags, names = _checked_info(call, info)
    dobj, prep, iobj = _checked_args(args)
    record = _object(call, object_)
    world = call.engine.world
    if not object_allows(world, call.programmer, record, FLAG_WRITE) or (
        call.programmer != owner and not call.is_wizard
    ):
        raise MooError(E_PERM)
    call.vm.scanned(len(names))
    call.vm.spend(len(record.verbs) // COPIED_PER_STEP)
    return world.add_verb(object_, names, owner, flags, dobj, prep, iobj)


@builtin("delete_verb", [OBJ, ANY], source="verbs.c, bf_delete_verb")
def bf_delete_verb(call: Call, object_: Obj, descriptor: Value) -> Value:
    """Remove a verb from ``object_``.

    Permission: the object is writable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    _check_descriptor(descriptor)
    record = _object(call, object_)
    world = call.engine.world
    if not object_allows(world, call.programmer, record, FLAG_WRITE):
        raise MooError(E_PERM)
    _expect_index(call, record)
    world.delete_verb(object_, _verb(call, object_, descriptor))
    return 0


# --- code -----------------------------------------------------------------


@builtin("verb_code", [OBJ, ANY, ANY, ANY], least=2, source="verbs.c, bf_verb_code")
def bf_verb_code(
    call: Call,
    object_: Obj,
    descriptor: Value,
    fully_parenthesized: Value = 0,
    indent: Value = 1,
) -> Value:
    """Return the lines of a verb's code, as the server lists it.

    Permission: the verb is readable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    verbdef = _readable_verb(call, object_, descriptor)
    return call.engine.listing(
        verbdef,
        object_,
        fully_parenthesized=bool(fully_parenthesized),
        indent=bool(indent),
    )


@builtin("set_verb_code", [OBJ, ANY, LIST], source="verbs.c, bf_set_verb_code")
def bf_set_verb_code(call: Call, object_: Obj, descriptor: Value, code: List) -> Value:
    """Program a verb; return the compile errors, and keep the old code if any.

    Permission: a programmer, and the verb is writable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    if len(code) > SHORT:
        call.vm.spend(len(code))
    if any(type(line) is not str for line in code):
        raise MooError(E_TYPE)
    _check_descriptor(descriptor)
    _object(call, object_)
    verbdef = _verb(call, object_, descriptor)
    engine = call.engine
    if not engine.world.is_programmer(call.programmer) or not verb_allows(
        engine.world, call.programmer, verbdef, VERB_WRITE
    ):
        raise MooError(E_PERM)
    try:
        program = engine.compile(_source(call, code), meter=call.vm)
    except MooSyntaxError as error:
        return tuple(error.errors)
    engine.set_program(object_, verbdef, program)
    return ()


def _source(call: Call, lines: List) -> str:
    call.vm.scanned(sum(len(str(line)) for line in lines))
    return "".join(f"{line}\n" for line in lines)


DISASSEMBLED_STEPS = 8
"""What it counts to show what one node is compiled to."""


@builtin("disassemble", [OBJ, ANY], source="disassemble.c, bf_disassemble")
def bf_disassemble(call: Call, object_: Obj, descriptor: Value) -> Value:
    """Return the lines that show what the C server compiles a verb to.

    Permission: the verb is readable or yours; otherwise E_PERM.
    Raises: E_TYPE, E_INVARG, E_VERBNF.
    """
    verbdef = _readable_verb(call, object_, descriptor)
    program = call.engine.program_of(verbdef, object_)
    if program is None:
        raise MooError(E_VERBNF)
    call.vm.spend(DISASSEMBLED_STEPS * len(program.nodes))
    return tuple(call.engine.disassembly(program))


@builtin("eval", [STR], steps=True, source="verbs.c, bf_eval")
def bf_eval(call: Call, step: int, data: Any, value: Any) -> Value | Outcome:
    """Run a text as a program; return {1, its value} or {0, the compile errors}.

    It runs with the permissions of the caller and ``this`` #-1.

    Permission: a programmer; otherwise E_PERM.  Raises: E_MAXREC.
    """
    if step != 1:
        return 1, value
    if not call.engine.world.is_programmer(call.programmer):
        raise MooError(E_PERM)
    try:
        program = call.engine.compile(_source(call, value), meter=call.vm)
    except MooSyntaxError as error:
        return 0, tuple(error.errors)
    call.vm.push_eval(program)
    return Called(2)
