"""Random MOO programs for a world made for them, as text.

They are made to end in all the ways that programs do, and to be compared: between
the ways to run them, or with another server.  So nothing in them depends on the
time of day, on random numbers or on the numbers of tasks; what may go on for ever
is left to the tick limit of whoever runs it.

`ProgramMaker` draws from a `random.Random`: from a seeded one the programs are the
same every time, and with that of hypothesis (`programs_for_world`) they shrink.
`program_world` is the world whose objects, verbs and properties they name.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import cache
from io import BytesIO
from typing import Final

from attrs import frozen
from hypothesis import strategies as st

from pymoo.db.objects import FLAG_PLAYER, FLAG_PROGRAMMER, PROP_READ
from pymoo.db.textdump import dump, load
from pymoo.db.world import World
from pymoo.values import Obj, literal
from tests.fakes import WIZARD, Bench

# --- the world ------------------------------------------------------------

_PEOPLE: Final = (
    (5, "Pat", (FLAG_PLAYER, FLAG_PROGRAMMER)),
    (6, "Quinn", (FLAG_PROGRAMMER,)),
    (7, "Rae", (FLAG_PLAYER,)),
)

# number, name, owner, parent, flags, location
_THINGS: Final = (
    (8, "widget", 3, 1, "rf", -1),
    (9, "gadget", 5, 8, "rwf", 2),
    (10, "gizmo", 6, 9, "", 2),
    (11, "Pat's box", 5, 1, "f", 2),
    (12, "Quinn's box", 6, 1, "r", -1),
    (13, "hall", 3, 1, "r", -1),
    (14, "trap", 5, 1, "r", -1),
    (15, "model", 3, 1, "rf", -1),
    (16, "gone", 3, 1, "", -1),
    (17, "pebble", 5, 1, "r", 11),
    (18, "figure", 6, 15, "rf", 11),
    (19, "lead", 3, 15, "", 13),
)

# object, name, value as code, owner, permissions
_PROPERTIES: Final = (
    (8, "num", "42", 3, "r"),
    (8, "flt", "2.5", 3, "rc"),
    (8, "str", '"hello"', 3, "rwc"),
    (8, "lst", '{1, "two", {3, 4.0}, #5, E_PERM}', 3, "rw"),
    (8, "obj", "#9", 3, "rc"),
    (8, "secret", '"shh"', 3, ""),
    (8, "pub", "0", 3, "rwc"),
    (8, "pats", "{}", 5, "r"),
    (8, "hers", '"mine"', 6, "c"),
    (9, "own", '{"a", "b"}', 5, "rw"),
    (10, "own_too", "7", 6, "w"),
    (15, "count", "0", 3, "rw"),
    (11, "count", "10", 5, "rw"),
)

# object, names, owner, permissions, code
_VERBS: Final = (
    (8, "echo", 3, "rxd", "return args;"),
    (8, "add", 3, "rxd", "{a, b} = args; return a + b;"),
    (8, "boom", 3, "rxd", "x = 5; return x / args[1];"),
    (8, "boom2", 5, "rxd", "x = 5; return x / args[1];"),
    (
        8,
        "deep",
        3,
        "rxd",
        "n = args[1]; if (n <= 0) return #-1.nope; endif return this:deep(n - 1) + 1;",
    ),
    (8, "forever", 5, "rxd", "return this:forever(@args);"),
    (
        8,
        "quiet",
        3,
        "rx",
        'x = 1 / 0; y = {1, 2}[3]; z = raise(E_PERM, "zap", 12);'
        " w = this:nosuch(); {p, q} = args; u = #8.nosuch;"
        " for i in (5) x = 7; endfor return {x, y, z, w, u, tostr(x)};",
    ),
    (8, "raiser", 3, "rxd", "return raise(@args);"),
    (8, "quiet_raiser", 6, "rx", "x = raise(@args); return {x, this:raiser(@args)};"),
    (
        8,
        "ctx",
        3,
        "rxd",
        "return {this, caller, player, verb, args, argstr, dobj, dobjstr, prepstr,"
        " iobj, iobjstr, caller_perms(), callers(1)};",
    ),
    (8, "wild*card w*ide", 3, "rxd", "return {verb, args};"),
    (8, "noexec", 3, "rd", 'return "ran";'),
    (8, "say", 3, "rxd", "notify(#3, tostr(@args)); return length(args);"),
    (
        8,
        "count",
        3,
        "rxd",
        "t = 0; for i in [1..args[1]] t = t + i; endfor return t;",
    ),
    (
        8,
        "patverb",
        5,
        "rxd",
        "return {caller_perms(), `this.secret ! ANY', `this.pats ! ANY',"
        " `this.hers ! ANY', callers()};",
    ),
    (8, "apply", 6, "rxd", "{vname, @rest} = args; return this:(vname)(@rest);"),
    (
        8,
        "fin",
        3,
        "rxd",
        "try return args[1] / args[2]; finally this.pub = this.pub + 1; endtry",
    ),
    (
        8,
        "nap",
        3,
        "rxd",
        "suspend(@args); return {ticks_left() > 0, caller_perms()};",
    ),
    (
        8,
        "tasks",
        3,
        "rxd",
        "r = {}; for q in (queued_tasks()) r = {@r, q[2..$]}; endfor return r;",
    ),
    (
        8,
        "perms",
        3,
        "rxd",
        "set_task_perms(@args); return {caller_perms(), #8.secret};",
    ),
    (9, "echo", 5, "rxd", 'return {"child", @pass(@args)};'),
    (9, "ctx", 5, "rxd", 'return {"child", verb, caller, pass("x", @args)};'),
    (9, "boom", 3, "rxd", '"line one"; return pass();'),
    (9, "nopass", 3, "rxd", "return pass(@args);"),
    (10, "echo", 6, "rx", 'return {"grandchild", pass(@args)};'),
    (10, "add", 6, "rxd", "return pass(@args) + pass(@args);"),
    (
        13,
        "accept",
        3,
        "rxd",
        'notify(#3, tostr("accept ", args[1], " by ", caller_perms()));'
        ' return `args[1].name ! ANY => ""\' != "lead";',
    ),
    (
        13,
        "enterfunc",
        3,
        "rxd",
        'notify(#3, tostr("enterfunc ", args[1], " at ", args[1].location));',
    ),
    (
        13,
        "exitfunc",
        3,
        "rxd",
        'notify(#3, tostr("exitfunc ", args[1], " at ", args[1].location));',
    ),
    (14, "accept", 5, "rxd", "suspend(0); return 1;"),
    (14, "enterfunc", 5, "rxd", 'return raise(E_NACC, "enter", callers(1));'),
    (14, "exitfunc", 5, "rxd", "return 1 / 0;"),
    (11, "accept", 5, "rxd", "return 1;"),
    (12, "accept", 6, "rxd", "return raise(E_RECMOVE, tostr(callers(1)));"),
    (
        15,
        "initialize",
        3,
        "rxd",
        'this.count = this.count + 1; this.name = tostr("copy ", this.count);',
    ),
    (
        15,
        "recycle",
        3,
        "rxd",
        'notify(#3, tostr("recycling ", this, " ", callers(1)));'
        " if (this.count > 1) suspend(0); endif",
    ),
    (18, "initialize", 6, "rxd", "return raise(E_QUOTA);"),
    (18, "recycle", 6, "rxd", "while (1) endwhile"),
)

ODD_STRINGS: Final = (
    "",
    "\x01\x02",
    "\t",
    "caf\xe9",
    "\xff\xfe",
    "ABC\x80abc",
    "~",
    "~7e~",
    '"\\"',
    bytes(range(32, 127)).decode("latin-1"),
    bytes([*range(1, 10), *range(11, 13), *range(14, 256)]).decode("latin-1"),
)
"""Strings that cannot be written in a program: the value of ``$odd``."""


def program_world() -> World:
    """Return the world that the programs are made for, as new."""
    return load(BytesIO(_textdump())).world


@cache
def _textdump() -> bytes:
    stream = BytesIO()
    dump(_make_world(), stream)
    return stream.getvalue()


def _make_world() -> World:
    bench = Bench()
    world = bench.world
    for number, name, flags in _PEOPLE:
        assert world.create(Obj(number), Obj(1)) == number
        world.set_name(Obj(number), name)
        for flag in flags:
            world.set_flag(Obj(number), flag, True)
    for number, name, owner, parent, _, location in _THINGS:
        assert world.create(Obj(owner), Obj(parent)) == number
        world.set_name(Obj(number), name)
        if location >= 0:
            world.change_location(Obj(number), Obj(location))
    code = [
        f"#{number}.{flag} = 1;" for number, *_, flags, _ in _THINGS for flag in flags
    ]
    for number, name, value, owner, permissions in _PROPERTIES:
        info = f"{{#{owner}, {literal(permissions)}}}"
        code.append(f"add_property(#{number}, {literal(name)}, {value}, {info});")
    for place, (number, names, owner, permissions, text) in enumerate(_VERBS):
        info = f"{{#{owner}, {literal(permissions)}, {literal(names)}}}"
        args = '{"this", "none", "this"}'
        code.append(f"n = add_verb(#{number}, {info}, {args});")
        code.append(f"r = set_verb_code(#{number}, n, {{{literal(text)}}});")
        code.append(f"if (r) return {{{place}, r}}; endif")
    code.append('add_property(#0, "widget", #8, {#3, "r"});')
    for name, value in _OPTIONS.items():
        code.append(f'add_property(#4, "{name}", {value}, {{#3, "r"}});')
    code.append("recycle(#16); return 0;")
    seen = bench.run("\n".join(code))
    assert seen.value == 0, seen
    assert world.add_property(Obj(0), "odd", ODD_STRINGS, WIZARD, PROP_READ)
    return world


_OPTIONS: Final = {
    "fg_ticks": 30_000,
    "bg_ticks": 15_000,
    "fg_seconds": 60,
    "bg_seconds": 60,
    "queued_task_limit": -1,
    "max_stack_depth": 50,
}


# --- built-in functions ---------------------------------------------------

# What each argument should be, by the kinds of `ProgramMaker`; those behind the
# bar may be left out.  Not here: what depends on time, chance and connections.
_FUNCTIONS: Final = {
    line.split(None, 1)[0]: line.split(None, 1)[1].split() if " " in line else []
    for line in """
length string/list
setadd list any
setremove list any
listappend list any | index
listinsert list any | index
listdelete list index
listset list any index
equal any any
is_member any list
tostr any any any
toliteral any
match string pattern | bool
rmatch string pattern | bool
substitute template matched
index string string | bool
rindex string string | bool
strcmp string string
strsub string string string | bool
toint numeric
tonum numeric
tofloat numeric
toobj numeric
typeof any
min number number number
max number number number
abs number
ctime int
floatstr float small | bool
sqrt float
sin float
cos float
tan float
asin float
acos float
atan float | float
sinh float
cosh float
tanh float
exp float
log float
log10 float
ceil float
floor float
trunc float
value_hash any
string_hash string
binary_hash binary
decode_binary binary | bool
encode_binary bytes
crypt string salt
value_bytes any
object_bytes object
raise code | string any
create object | object
recycle object
valid object
parent object
children object
chparent object object
max_object
players
is_player object
set_player_flag object bool
move object object
properties object
property_info object property
set_property_info object property property_info
add_property object property any property_info
delete_property object property
clear_property object property
is_clear_property object property
renumber object
reset_max_object
verbs object
verb_info object verb
set_verb_info object verb verb_info
verb_args object verb
set_verb_args object verb verb_args
add_verb object verb_info verb_args
delete_verb object verb
verb_code object verb | bool bool
set_verb_code object verb program
disassemble object verb
eval source
call_function function any any
pass any any
set_task_perms object
caller_perms
callers | bool
function_info | function
load_server_options
notify object string | bool
ticks_left
suspend | delay
read | object bool
task_stack task | bool
kill_task task
resume task | any
queue_info | object
force_input object string | bool
flush_input object | bool
output_delimiters object
connected_players | bool
""".split("\n")
    if line
}

_STRING_WORDS: Final = (
    "", "a", "abc", "hello", "Hello World", "foobar", "two words", "x" * 40, "E_PERM",
    "~41~7e~0D", "12", "-7", " 12 ", "1.5", "1e3", "#5", "# 12", "0x1F", "inf", "-",
    "+3", "- 3", "--1", "1e999", "99999999999999999999", "2147483648", "12abc", ".5",
    "5e", "1_0", "nan", "#", "#-1", "1e-400", "aAbBcC", "foo%bar", "_", "[", "Z", "z",
)  # fmt: skip

_PATTERNS: Final = (
    "", "a", "o*", "o+$", "^a", "%(a*%)%(b%)?", "[a-c]+", "[^a-z]", "%w+", "%W", "%<b",
    "o%>", "%b", "%B", "foo%|foobar", ".*", "%(foo%)%1", "[", "%(", "*", "a**", "%",
    "[]a]", "[b-a]", "%[", "a|b", "%(%|a%)b", ".o.b", "^$", "x?", "%(.%)%(.%)%(.%)",
    "l%{", "[%w]", "a$b", "hello$", " *", "[-a]", "[a-]", "%2", "%9", "%0",
)  # fmt: skip

_TEMPLATES: Final = ("", "%0", "<%1>", "%%", "%", "%1%2%3", "plain", "%x", "%9 %0 %1")

_INTEGERS: Final = (
    0, 1, 2, 3, -1, -2, 5, 7, 10, 41, 100, 255, 256, 65535, 65536, 46341, 1000000007,
    2147483647, 2147483646, -2147483647, 1073741824,
)  # fmt: skip

_FLOATS: Final = (
    "0.0", "1.0", "-1.0", "0.5", "2.5", "3.5", "-2.5", "0.1", "1e10", "1e15", "1e16",
    "1e300", "-1e300", "1e-300", "1.7e308", "2147483647.0", "2147483648.0",
    "-2147483648.0", "-2147483649.0", "123456.789", "3.14159265358979", "1e-5", "1e-4",
    "709.0", "710.0", "4.9e-324", "99999999999999.9", "0.99999999999999989",
)  # fmt: skip

_ERRORS: Final = (
    "E_NONE", "E_TYPE", "E_DIV", "E_PERM", "E_PROPNF", "E_VERBNF", "E_VARNF",
    "E_INVIND", "E_RECMOVE", "E_MAXREC", "E_RANGE", "E_ARGS", "E_NACC", "E_INVARG",
    "E_QUOTA", "E_FLOAT",
)  # fmt: skip

_OBJECTS: Final = (
    "#8", "#8", "#9", "#9", "#10", "#11", "#12", "#13", "#14", "#15", "#17", "#18",
    "#19", "#5", "#6", "#7", "#3", "#2", "#1", "#0", "#4", "#16", "#-1", "#-2", "#-3",
    "this", "player", "caller", "max_object()", "#2147483647", "#99", "$widget",
)  # fmt: skip

_PROPERTY_NAMES: Final = (
    "num", "flt", "str", "lst", "obj", "secret", "pub", "pats", "hers", "own",
    "own_too", "count", "extra", "name", "owner", "location", "contents", "programmer",
    "wizard", "r", "w", "f", "NUM", "Name", "nosuch", "fg_ticks", "odd", "two words",
    "", "last_move",
)  # fmt: skip

_VERB_NAMES: Final = (
    "echo", "add", "boom", "boom2", "deep", "quiet", "raiser", "quiet_raiser", "ctx",
    "wild", "wildca", "wild*card", "wide", "w", "noexec", "say", "count", "patverb",
    "apply", "fin", "nap", "perms", "nopass", "accept", "enterfunc", "exitfunc",
    "initialize", "recycle", "fresh", "nosuch", "ECHO", "", "1", "do_command",
)  # fmt: skip

_SAFE_VERBS: Final = _VERB_NAMES[:25]

_VARIABLES: Final = ("a", "b", "c", "d", "s", "l", "o")

# The kinds that are strings, and may be any.
_TEXTS: Final = frozenset(
    ("string", "pattern", "template", "binary", "property", "verb", "source", "numeric")
)

# The variables that are likely to hold a value of a kind.
_HOLDERS: Final = {
    "int": ("a", "a", "b", "t"),
    "string": ("s", "s", "s", "c"),
    "list": ("l", "l", "l", "d"),
    "object": ("o", "o", "o", "a"),
}

_PREDEFINED: Final = (
    "player", "this", "caller", "verb", "args", "argstr", "dobj", "dobjstr", "prepstr",
    "iobj", "iobjstr", "NUM", "STR", "LIST", "ERR", "OBJ", "FLOAT", "INT",
)  # fmt: skip

_PREPOSITIONS: Final = ("none", "any", "on", "with/using", "on top of/on", "bogus", "")


# --- programs -------------------------------------------------------------


@frozen
class Mix:
    """What programs are mostly about; the numbers are weights."""

    size: int = 5  # statements
    depth: int = 3  # of expressions
    wrong: float = 0.08  # how often an argument is of any type instead
    tasks: int = 1
    objects: int = 4
    functions: Sequence[str] = tuple(_FUNCTIONS)
    plain: int = 6  # assignments and the like
    control: int = 3  # loops, try and so on
    seldom: int = 1  # options, protection, handlers
    calls: int = 0  # of built-in functions, one a statement
    naps: float = 0.0  # how often a verb that is called suspends
    odd: float = 0.03  # how often a text has bytes that no program can write


MIXES: Final = {
    "values": Mix(
        size=3,
        tasks=0,
        objects=0,
        seldom=0,
        functions=tuple(_FUNCTIONS)[: tuple(_FUNCTIONS).index("raise")],
    ),
    "wrong": Mix(size=3, wrong=0.35, tasks=0, seldom=0),
    "control": Mix(size=7, depth=2, control=8, objects=1),
    "objects": Mix(size=6, depth=2, objects=12, plain=2),
    "tasks": Mix(size=6, depth=2, tasks=8),
    "seldom": Mix(size=6, seldom=8, objects=2),
    "calls": Mix(
        size=20,
        depth=1,
        wrong=0.15,
        plain=0,
        control=0,
        objects=0,
        tasks=0,
        seldom=0,
        calls=1,
    ),
    "odd": Mix(size=8, depth=2, tasks=0, seldom=0, plain=2, calls=6, odd=0.4),
    "sleepy": Mix(size=6, depth=3, control=6, tasks=2, naps=0.5),
    "all": Mix(),
}


class ProgramMaker:
    """Draws the parts of one program."""

    def __init__(self, draw: random.Random, mix: Mix) -> None:
        self._draw = draw
        self._mix = mix
        self._loops: list[str] = []  # names of the loops around; "" for none
        self._brackets = 0
        self._nested = 0  # programs within programs
        self._kinds = {
            "int": self.int_,
            "index": self.index,
            "small": self.small,
            "float": self.float_,
            "number": self.number,
            "numeric": self.numeric,
            "string": self.string,
            "list": self.list_,
            "object": self.object_,
            "error": self.error,
            "any": self.any_,
            "bool": self.bool_,
            "pattern": self.pattern,
            "template": lambda depth: self._text(self._one(_TEMPLATES)),
            "matched": self.matched,
            "binary": self.binary,
            "bytes": self.bytes_,
            "salt": lambda depth: self._text(self._one(("ab", "./", "zz", "A1x"))),
            "code": self.code,
            "property": lambda depth: self._text(self._one(_PROPERTY_NAMES)),
            "property_info": self.property_info,
            "verb": self.verb,
            "verb_info": self.verb_info,
            "verb_args": self.verb_args,
            "program": self.program_lines,
            "source": self.source,
            "function": lambda depth: self._text(
                self._one(
                    ("length", "tostr", "raise", "pass", "nosuch", "eval", "move")
                )
            ),
            "delay": lambda depth: self._one(("0", "0", "1", "-1", "2", "1000")),
            "task": lambda depth: self._one(("t", "t", "t", "task_id()", "0")),
        }

    # --- choosing ---

    def _one(self, choices: Sequence[str]) -> str:
        return self._draw.choice(choices)

    def _chance(self, probability: float) -> bool:
        return self._draw.random() < probability

    def _of(self, kind: str, depth: int) -> str:
        """An expression that should be of a kind."""
        if self._chance(self._mix.wrong):
            return self.any_(depth)
        if self._chance(0.08) and depth > 0:
            return self.assignment(kind, depth - 1)
        if kind in _TEXTS and self._chance(self._mix.odd):
            return self.odd()
        if self._chance(0.12):
            return self._one(_HOLDERS.get(kind, _VARIABLES))
        return self._kinds[kind](depth)

    def _text(self, text: str) -> str:
        return literal(text)

    # --- leaves and values ---

    def odd(self) -> str:
        text = f"$odd[{self._draw.randint(1, len(ODD_STRINGS))}]"
        if self._chance(0.3):
            start = self._draw.randint(1, 252)
            end = min(252, start + self._draw.randrange(5))
            text = f"$odd[$][{start}..{end}]"
        if self._chance(0.2):
            return f"({self._text(self._one(_STRING_WORDS))} + {text})"
        return f"({text} + {self._one(_VARIABLES)})" if self._chance(0.1) else text

    def int_(self, depth: int) -> str:
        choice = self._draw.randrange(14 if depth > 0 else 3)
        if self._brackets and self._chance(0.3):
            return "$"
        if choice < 2:
            return str(self._draw.choice(_INTEGERS))
        if choice == 2:
            return str(self._draw.randint(-20, 150))
        deeper = depth - 1
        if choice < 6:
            operator = self._one(("+", "-", "*", "/", "%", "^"))
            return self._operation(operator, "int", "int", deeper)
        if choice == 6:
            operator = self._one(("==", "!=", "in"))
            second = "list" if operator == "in" else "any"
            return self._operation(operator, "any", second, deeper)
        if choice == 7:
            operator = self._one(("<", "<=", ">", ">="))
            kind = self._one(("int", "float", "string", "error", "object", "number"))
            return self._operation(operator, kind, kind, deeper)
        if choice == 8:
            return self._one(("-", "!")) + self._in_parentheses(self._of("int", deeper))
        if choice == 9:
            return f"length({self._of(self._one(('string', 'list')), deeper)})"
        if choice == 10:
            return self._one(("#8.num", "#8.pub", "$widget.num", "#15.count", "NUM"))
        if choice == 11:
            return f"toint({self._of('numeric', deeper)})"
        if choice == 12:
            return self._one(
                ("ticks_left()", "#8:count(4)", f"#8:add({self.int_(0)}, 1)")
            )
        return self._choice_of("int", deeper)

    def index(self, depth: int) -> str:
        if self._brackets and self._chance(0.4):
            return "$"
        return self._one(("1", "1", "2", "2", "3", "0", "-1", "4", "9", "2147483647"))

    def small(self, depth: int) -> str:
        return str(self._draw.randint(-1, 22))

    def float_(self, depth: int) -> str:
        choice = self._draw.randrange(8 if depth > 0 else 2)
        if choice == 0:
            return self._one(_FLOATS)
        if choice == 1:
            return f"{self._draw.uniform(-100, 100):.4f}"
        deeper = depth - 1
        if choice < 5:
            operator = self._one(("+", "-", "*", "/", "%", "^"))
            second = "int" if operator == "^" and self._chance(0.5) else "float"
            return self._operation(operator, "float", second, deeper)
        if choice == 5:
            return f"tofloat({self._of('numeric', deeper)})"
        if choice == 6:
            return f"-({self._of('float', deeper)})"
        return self._one(("#8.flt", "sqrt(2.0)", "exp(1.0)", "#9.flt"))

    def number(self, depth: int) -> str:
        return self._of(self._one(("int", "float")), depth)

    def numeric(self, depth: int) -> str:
        """Anything that may be made a number."""
        return self._of(self._one(("string", "string", "number", "any")), depth)

    def string(self, depth: int) -> str:
        choice = self._draw.randrange(9 if depth > 0 else 3)
        if choice == 0:
            return self._text(self._one(_STRING_WORDS))
        if choice == 1:
            size = self._draw.randrange(6)
            return self._text(
                "".join(self._one(" abAB%~#\\\"'*1.") for _ in range(size))
            )
        if choice == 2:
            return self._one(
                ("#8.str", f"$odd[{self._draw.randint(1, len(ODD_STRINGS))}]", "verb")
            )
        deeper = depth - 1
        if choice == 3:
            return self._operation("+", "string", "string", deeper)
        if choice == 4:
            return f"tostr({self._items(deeper)})"
        if choice == 5:
            return f"toliteral({self._of('any', deeper)})"
        if choice == 6:
            return self._ranged("string", deeper)
        if choice == 7:
            return self._indexed("string", deeper)
        return (
            f'strsub({self._of("string", deeper)}, "a", {self._of("string", deeper)})'
        )

    def list_(self, depth: int) -> str:
        choice = self._draw.randrange(10 if depth > 0 else 2)
        if choice == 0:
            return self._one(("{}", "#8.lst", "args", "{1, 2, 3}", '{"a", "B", "a"}'))
        deeper = depth - 1
        if choice < 5:
            return "{" + self._items(deeper) + "}"
        if choice == 5:
            return self._ranged("list", deeper)
        if choice == 6:
            name = self._one(("setadd", "setremove", "listappend", "listinsert"))
            return f"{name}({self._of('list', deeper)}, {self._of('any', deeper)})"
        if choice == 7:
            return f"#8:echo({self._items(deeper)})"
        if choice == 8:
            return f"match({self._of('string', deeper)}, {self.pattern(0)})"
        return self._choice_of("list", deeper)

    def object_(self, depth: int) -> str:
        if depth > 0 and self._chance(0.1):
            return f"parent({self._of('object', depth - 1)})"
        return self._one(_OBJECTS) if self._chance(0.8) else "o"

    def error(self, depth: int) -> str:
        return self._one(_ERRORS)

    def bool_(self, depth: int) -> str:
        return (
            self._one(("0", "1", "1")) if self._chance(0.8) else self._of("any", depth)
        )

    def any_(self, depth: int) -> str:
        if depth > 0:
            choice = self._draw.randrange(12)
            deeper = depth - 1
            if choice == 0:
                return self.property_read(deeper)
            if choice == 1:
                return self.verb_call(deeper)
            if choice in (2, 3):
                return self.function_call(deeper)
            if choice == 4:
                return self._indexed("list", deeper)
            if choice == 5:
                return self.catch(deeper)
            if choice == 6:
                return self._choice_of("any", deeper)
            if choice == 7:
                operator = self._one(("&&", "||"))
                return self._operation(operator, "any", "any", deeper)
            if choice == 8:
                return self.scatter(deeper)
        kinds = ("int", "int", "float", "string", "list", "object", "error")
        if self._chance(0.1):
            return self._one(_PREDEFINED)
        if self._chance(0.2):
            return self._one(_VARIABLES)
        return self._kinds[self._one(kinds)](depth)

    # --- arguments of certain functions ---

    def pattern(self, depth: int) -> str:
        if self._chance(0.7):
            return self._text(self._one(_PATTERNS))
        return self._text(
            "".join(self._one(_PATTERNS) for _ in range(self._draw.randint(1, 3)))
        )

    def matched(self, depth: int) -> str:
        if self._chance(0.7):
            return f"match({self._of('string', depth)}, {self.pattern(depth)})"
        return self._one(
            (
                "{1, 2, {{1, 1}, {0, -1}, {0, -1}, {0, -1}, {0, -1}, {0, -1}, {0, -1},"
                ' {0, -1}, {0, -1}}, "foo"}',
                "{1, 4, {{1, 5}, {0, -1}, {0, -1}, {0, -1}, {0, -1}, {0, -1}, {0, -1},"
                ' {0, -1}, {0, -1}}, "foo"}',
                "{1, 2}",
                '{0, 2, {}, "x"}',
            )
        )

    def binary(self, depth: int) -> str:
        words = ("~41", "~0d~0A", "a~7Eb", "~", "~4", "~zz", "plain", "~09x", "~41~41")
        if self._chance(0.3):
            return f"encode_binary({self.bytes_(depth)})"
        return self._text(self._one(words))

    def bytes_(self, depth: int) -> str:
        return self._one(
            (
                "{65, 66, 255}",
                '{1, {2, 3}, "ab~"}',
                "$odd[8]",
                "$odd[11]",
                "10, 13, 9",
                "256",
                "-1",
                '{"x", {0}}',
                self._text(self._one(_STRING_WORDS)),
                self._of("any", depth),
            )
        )

    def code(self, depth: int) -> str:
        return self._of(self._one(("error", "error", "string", "any")), depth)

    def property_info(self, depth: int) -> str:
        owner = self._of("object", 0)
        flags = self._text(self._one(("r", "rw", "rc", "", "w", "rwc", "x", "RC")))
        if self._chance(0.1):
            return f"{{{owner}, {flags}, {self._text(self._one(_PROPERTY_NAMES))}}}"
        return f"{{{owner}, {flags}}}"

    def verb(self, depth: int) -> str:
        if self._chance(0.2):
            return self._one(("1", "2", "3", "0", "-1", "99"))
        return self._text(self._one(_VERB_NAMES))

    def verb_info(self, depth: int) -> str:
        owner = self._of("object", 0)
        flags = self._text(self._one(("rxd", "rx", "xd", "rwxd", "", "rd", "q", "RXD")))
        names = self._text(
            self._one(
                ("fresh", "fr*esh other", "*", "", " lead", "accept", "f*", "echo")
            )
        )
        return f"{{{owner}, {flags}, {names}}}"

    def verb_args(self, depth: int) -> str:
        return (
            f'{{"{self._one(("this", "none", "any", "THIS", "x"))}",'
            f' "{self._one(_PREPOSITIONS)}",'
            f' "{self._one(("this", "none", "any", ""))}"}}'
        )

    def program_lines(self, depth: int) -> str:
        return "{" + ", ".join(self._text(line) for line in self._inner()) + "}"

    def source(self, depth: int) -> str:
        return self._text(" ".join(self._inner()))

    def _inner(self) -> list[str]:
        """The statements of a program within the program."""
        if self._nested >= 2:
            return [self._one(("return 5;", "x = ;", "1 / 0;", "return args;"))]
        loops, self._loops = self._loops, []
        brackets, self._brackets = self._brackets, 0
        self._nested += 1
        count = self._draw.randint(0, 3)
        lines = [self.statement(1) for _ in range(count)]
        lines.append(f"return {self._of('any', 1)};")
        if self._chance(0.05):
            lines.append(self._one(("return", "x = $;", "foo(", "break;", "@5;", '"')))
        self._nested -= 1
        self._loops, self._brackets = loops, brackets
        return lines

    # --- expressions ---

    def _in_parentheses(self, text: str) -> str:
        return f"({text})"

    def _operation(self, operator: str, left: str, right: str, depth: int) -> str:
        text = f"{self._of(left, depth)} {operator} {self._of(right, depth)}"
        return f"({text})"

    def _choice_of(self, kind: str, depth: int) -> str:
        return (
            f"({self._of('any', depth)} ? {self._of(kind, depth)}"
            f" | {self._of(kind, depth)})"
        )

    def _items(self, depth: int, most: int = 4) -> str:
        return ", ".join(self._item(depth) for _ in range(self._draw.randint(0, most)))

    def _item(self, depth: int) -> str:
        if self._chance(0.12):
            return f"@{self._of('list', depth)}"
        return self._of("any", depth)

    def _base(self, kind: str, depth: int) -> str:
        return f"({self._of(kind, depth)})"

    def _indexed(self, kind: str, depth: int) -> str:
        base = self._base(kind, depth)
        self._brackets += 1
        text = f"{base}[{self._of('index', depth)}]"
        self._brackets -= 1
        return text

    def _ranged(self, kind: str, depth: int) -> str:
        base = self._base(kind, depth)
        self._brackets += 1
        text = f"{base}[{self._of('index', depth)}..{self._of('index', depth)}]"
        self._brackets -= 1
        return text

    def property_read(self, depth: int) -> str:
        base = self._base("object", depth)
        if self._chance(0.15):
            return f"{base}.({self._of('string', depth)})"
        return f"{base}.({self._text(self._one(_PROPERTY_NAMES))})"

    def verb_call(self, depth: int) -> str:
        target = self._one(("#8", "#8", "#9", "#10", "this", "$widget"))
        if self._chance(self._mix.naps):
            return f"#8:nap({self._one(('0', '0', '0', '1'))})"
        if self._chance(0.2):
            target = self._base("object", depth)
        name = self._one(_SAFE_VERBS if self._chance(0.8) else _VERB_NAMES)
        called = name if name.isidentifier() else f"({self._text(name)})"
        if name == "deep":
            return f"{target}:deep({self._draw.choice((0, 1, 5, 20, 48, 60))})"
        if name == "count":
            return f"{target}:count({self._draw.choice((0, 1, 5, 30))})"
        if name == "nap":
            return f"{target}:nap(0)" if self._mix.tasks else f"{target}:echo()"
        return f"{target}:{called}({self._items(depth, 3)})"

    def function_call(self, depth: int) -> str:
        name = self._one(self._mix.functions)
        if name in ("suspend", "read", "resume", "kill_task") and not self._mix.tasks:
            return "caller_perms()"
        return self._call(name, depth)

    def _call(self, name: str, depth: int) -> str:
        kinds = _FUNCTIONS[name]
        least = kinds.index("|") if "|" in kinds else len(kinds)
        wanted = [kind for kind in kinds if kind != "|"]
        count = self._draw.randint(least, len(wanted))
        if self._chance(self._mix.wrong / 2):
            count = self._draw.randint(0, len(wanted) + 1)
        given = [self._argument(kind, depth) for kind in wanted[:count]]
        given += [self._of("any", depth) for _ in range(count - len(wanted))]
        return f"{name}({', '.join(given)})"

    def _argument(self, kind: str, depth: int) -> str:
        if "/" in kind:
            kind = self._one(kind.split("/"))
        if kind in ("task", "salt"):
            # Never a value that was not asked for: numbers of tasks must not get
            # into variables, and a short salt is a random one.
            if self._chance(self._mix.wrong):
                return self._one(("{}", "#1", "1.5", "E_NONE"))
            return self._kinds[kind](depth)
        if self._chance(0.02):
            return f"@{self._of('list', depth)}"
        return self._of(kind, depth)

    def catch(self, depth: int) -> str:
        inner = self._of("any", depth)
        text = f"`{inner} ! {self._codes(depth)}"
        if self._chance(0.4):
            text += f" => {self._of('any', depth)}"
        return text + "'"

    def _codes(self, depth: int) -> str:
        choice = self._draw.randrange(6)
        if choice < 3:
            return "ANY"
        if choice == 3:
            return ", ".join(
                self._one(_ERRORS) for _ in range(self._draw.randint(1, 3))
            )
        if choice == 4:
            return f"@{{{', '.join(self._one(_ERRORS) for _ in range(3))}}}"
        return self._item(0)

    def assignment(self, kind: str, depth: int) -> str:
        return f"({self._one(_VARIABLES)} = {self._of(kind, depth)})"

    def store(self, depth: int) -> str:
        """An assignment to any kind of place."""
        place = self._one(_VARIABLES)
        if self._chance(0.25):
            place = (
                f"{self._base('object', 0)}.({self._text(self._one(_PROPERTY_NAMES))})"
            )
        elif self._chance(0.1):
            place = self._one(_PREDEFINED)
        self._brackets += 1
        for _ in range(self._draw.choice((0, 0, 0, 1, 1, 2))):
            place += f"[{self._of('index', depth)}]"
        if self._chance(0.2):
            place += f"[{self._of('index', depth)}..{self._of('index', depth)}]"
        self._brackets -= 1
        return f"{place} = {self._of('any', depth)}"

    def scatter(self, depth: int) -> str:
        targets = []
        for _ in range(self._draw.randint(1, 3)):
            name = self._one(_VARIABLES)
            choice = self._draw.randrange(4)
            if choice < 2:
                targets.append(name)
            elif choice == 2:
                targets.append(f"?{name}")
            else:
                targets.append(f"?{name} = {self._of('any', depth)}")
        if self._chance(0.3):
            place = self._draw.randint(0, len(targets))
            targets.insert(place, f"@{self._one(_VARIABLES)}")
        return f"({{{', '.join(targets)}}} = {self._of('list', depth)})"

    # --- statements ---

    def block(self, size: int) -> str:
        count = self._draw.randint(0 if self._chance(0.2) else 1, max(1, min(size, 3)))
        return " ".join(self.statement(size - 1) for _ in range(count))

    def statement(self, size: int) -> str:
        mix = self._mix
        control = mix.control if size > 0 else 0
        weights = (mix.plain, control, mix.objects, mix.tasks, mix.seldom, mix.calls)
        kind = self._draw.choices(range(6), weights)[0]
        depth = self._draw.randint(0, mix.depth)
        if size > 0 and self._chance(0.2):
            text = self.statement(0)
            return f"try {text} except e (ANY) #8:say(toliteral(e)); endtry"
        if kind == 0:
            return self._plain(depth)
        if kind == 1:
            return self._control(size - 1, depth)
        if kind == 2:
            return self._object(depth)
        if kind == 3:
            return self._task(size - 1, depth)
        if kind == 4:
            return self._seldom(depth)
        return f"#8:say(toliteral(`{self.function_call(depth)} ! ANY'));"

    def _plain(self, depth: int) -> str:
        choice = self._draw.randrange(12)
        if choice == 8 and self._chance(0.4):
            return f"return {self._of('any', depth)};"
        if choice == 9 and self._loops and self._chance(0.5):
            return self._jump()
        if choice < 4:
            text = self.store(depth)
        elif choice < 6:
            text = self._of("any", depth)
        elif choice == 6:
            text = self.scatter(depth)
        elif choice == 7:
            text = self.verb_call(depth)
        else:
            text = f"{self._one(_VARIABLES)} = {self.function_call(depth)}"
        if self._chance(0.6):
            text = f"`{text} ! {self._codes(0) if self._chance(0.1) else 'ANY'}'"
        if self._chance(0.3):
            text = f"#8:say(toliteral({text}))"
        return f"{text};"

    def _jump(self) -> str:
        word = self._one(("break", "continue"))
        name = self._one(self._loops)
        return f"{word} {name};" if name and self._chance(0.7) else f"{word};"

    def _in_loop(self, name: str, size: int) -> str:
        self._loops.append(name)
        body = self.block(size)
        self._loops.pop()
        return body

    def _control(self, size: int, depth: int) -> str:
        choice = self._draw.randrange(9)
        depth = min(depth, 2)
        if choice == 0:
            return (
                f"if ({self._of('any', depth)}) {self.block(size)}"
                f" elseif ({self._of('int', depth)}) {self.block(size)}"
                f" else {self.block(size)} endif"
            )
        if choice == 1:
            return f"if ({self._of('any', depth)}) {self.block(size)} endif"
        if choice == 2:
            name = self._one(("i", "j", "a", "x"))
            body = self._in_loop(name, size)
            return f"for {name} in ({self._of('list', depth)}) {body} endfor"
        if choice == 3:
            name = self._one(("i", "j", "b"))
            start = self._one(("1", "1", "2", "-2", "#8", "2147483645"))
            end = self._one(("3", "5", "2", "0", "#10", "2147483647"))
            if self._chance(0.1):
                end = self._of("any", depth)
            body = self._in_loop(name, size)
            return f"for {name} in [{start}..{end}] {body} endfor"
        if choice == 4:
            # Always with an operation that is counted: the C server never comes back
            # from a loop without.
            name = self._one(("", "w", "w2"))
            test = f"({self._of('any', depth)} == {self._of('any', 0)})"
            if self._chance(0.5):
                test = f"(n = (n || 0) + 1) < {self._draw.randint(1, 5)}"
            body = self._in_loop(name, size)
            return f"while {name} ({test}) {body} endwhile"
        if choice in (5, 6):
            return self._try_except(size, depth)
        if choice == 7:
            body, cleanup = self.block(size), self.block(size)
            return f"try {body} finally {cleanup} endtry"
        if not self._mix.tasks:
            return f"{self.store(depth)};"
        delay = self._one(("0", "0", "1", "2", "-1", "a"))
        return f"fork t ({delay}) {self._forked(size)} endfork"

    def _forked(self, size: int) -> str:
        loops, self._loops = self._loops, []
        body = self.block(size)
        self._loops = loops
        return body

    def _try_except(self, size: int, depth: int) -> str:
        text = f"try {self.block(size)}"
        for _ in range(self._draw.randint(0, 2)):
            name = self._one(("", "e", "a", "error"))
            codes = self._item(0) if self._chance(0.2) else self._one(_ERRORS)
            text += f" except {name} ({codes}) {self.block(size)}"
        name = self._one(("", "e", "e"))
        codes = self._one(("ANY", "ANY", "E_TYPE, E_RANGE, E_PERM, E_VARNF, E_ARGS"))
        said = "#8:say(toliteral(e));" if name and self._chance(0.6) else ""
        return f"{text} except {name} ({codes}) {said} {self.block(size)} endtry"

    def _object(self, depth: int) -> str:
        choice = self._draw.randrange(10)
        depth = min(depth, 1)
        if choice == 0:
            return f"o = {self._call('create', depth)};"
        if choice == 1:
            hook = self._one(
                ("accept", "enterfunc", "exitfunc", "initialize", "recycle")
            )
            holder = self._of("object", 0)
            owner = self._one(("#3", "#5", "#6", "player"))
            flags = self._one(("rxd", "rxd", "rx"))
            return (
                f'add_verb({holder}, {{{owner}, "{flags}", "{hook}"}},'
                ' {"this", "none", "this"});'
                f' set_verb_code({holder}, "{hook}", {self.program_lines(0)});'
            )
        if choice == 2:
            return f"move({self._of('object', 0)}, {self._of('object', 0)});"
        if choice == 3:
            return f"recycle({self._one(('o', 'o', '#18', '#19', '#17', '#15'))});"
        if choice == 4:
            holder = self._of("object", 0)
            return (
                f"add_verb({holder}, {{{self._one(('#3', '#5', '#6', '#7'))},"
                f' "{self._one(("rxd", "rx", "xd", "x"))}", "fresh"}},'
                ' {"this", "none", "this"});'
                f' set_verb_code({holder}, "fresh", {self.program_lines(0)});'
                f" #8:say(toliteral({holder}:fresh({self._items(0)})));"
            )
        name = self._one(tuple(_FUNCTIONS)[tuple(_FUNCTIONS).index("create") :])
        if name in ("suspend", "read", "resume", "kill_task") and not self._mix.tasks:
            name = "valid"
        if self._chance(0.5):
            return f"a = {self._call(name, depth)};"
        return f"#8:say(toliteral(`{self._call(name, depth)} ! ANY'));"

    def _task(self, size: int, depth: int) -> str:
        choice = self._draw.randrange(10)
        if choice == 9:
            reader = self._one(("read()", "read(player)", "read(#3)", "read(#-2)"))
            return f"#8:say(toliteral(`{reader} ! ANY'));"
        if choice < 2:
            return f"suspend({self._one(('0', '0', '0', '1', ''))});"
        if choice < 5 and size > -2:
            name = self._one(("", "t", "t"))
            delay = self._one(("0", "0", "1", "1", "5000", "-1"))
            return f"fork {name} ({delay}) {self._forked(size)} endfork"
        if choice == 5:
            return f"`{self._call(self._one(('kill_task', 'resume')), 1)} ! ANY';"
        if choice == 6:
            return "#8:say(toliteral(#8:tasks()));"
        if choice == 7:
            return "#8:say(toliteral(`task_stack(t, 1) ! ANY'));"
        return "#8:say(toliteral(`read(@{#3, 1}) ! ANY'));"

    def _seldom(self, depth: int) -> str:
        choice = self._draw.randrange(9)
        if choice == 0:
            name = self._one(("length", "notify", "move", "create", "eval", "toint"))
            return (
                f'add_property(#4, "protect_{name}", 1, {{#3, "r"}});'
                f" {self._one(('', 'load_server_options();'))}"
                f" a = {self._call(name, 1)};"
            )
        if choice == 1:
            name = self._one(("length", "move", "create", "eval", "toint"))
            return (
                f'add_verb(#0, {{{self._one(("#3", "#5"))}, "rxd", "bf_{name}"}},'
                ' {"this", "none", "this"});'
                f' set_verb_code(#0, "bf_{name}", {self.program_lines(0)});'
            )
        if choice == 2:
            name = self._one(("handle_uncaught_error", "handle_task_timeout"))
            return (
                f'add_verb(#0, {{#3, "rxd", "{name}"}}, {{"this", "none", "this"}});'
                f' set_verb_code(#0, "{name}",'
                f' {{"#8:say(toliteral(args[1..$ - 2]));",'
                f" {self._text(' '.join(self._inner()))}}});"
            )
        if choice == 3:
            name = self._one(("bg_ticks", "queued_task_limit", "max_stack_depth"))
            return (
                f"#4.{name} = {self._one(('0', '1', '120', '300', '55', '-1', '{}'))};"
            )
        if choice == 4:
            limit = self._one(("max_string_concat", "max_list_concat"))
            size = self._one(("1014", "1100", "2000", "0"))
            return (
                f'add_property(#4, "{limit}", {size}, {{#3, "r"}});'
                f' add_property(#4, "max_concat_catchable", {self._one(("0", "1"))},'
                ' {#3, "r"}); load_server_options();'
            )
        if choice == 5:
            name = self._one(("name", "owner", "location", "r", "contents"))
            return (
                f'add_property(#4, "protect_{name}", 1, {{#3, "r"}});'
                " load_server_options();"
            )
        if choice == 6:
            return "s = tostr(a); for i in [1..11] s = s + s; endfor"
        if choice == 7:
            return "l = {a}; for i in [1..11] l = {@l, @l}; endfor"
        return f"while (1) {self.block(1)} endwhile"

    def program(self) -> str:
        """A whole program on one line."""
        start = self._one(
            (
                "",
                'a = t = 1; b = 2.5; c = E_PERM; d = {}; s = "hello"; l = {1, "b", {3},'
                " #8}; o = #17;",
                "a = t = 3; b = 7; c = s = tostr(args); d = l = {5, 4, 3}; o = #18;",
                'a = "foobar"; b = t = 2; c = d = -1.5; s = $odd[4]; l = {s, {s, 1}};'
                " o = #9;",
                'a = b = {"x", #1, {}}; t = c = 4; d = ""; s = "Hello World"; l = args;'
                " o = #11;",
            )
        )
        count = self._draw.randint(1, self._mix.size)
        parts = [start, *(self.statement(2) for _ in range(count))]
        if self._chance(0.7):
            parts.append(f"return {self._of('any', self._mix.depth)};")
        else:
            parts.append("return {a, b, c, d, s, l, o};")
        return " ".join(part for part in parts if part)


def program_text(seed: str, mix: str = "all") -> str:
    """The program of a seed, always the same, on one line."""
    return ProgramMaker(random.Random(f"{mix} {seed}"), MIXES[mix]).program()


def programs_for_world(mix: str = "all") -> st.SearchStrategy[str]:
    """Programs for `program_world`, each on one line."""
    return st.randoms(use_true_random=False).map(
        lambda draw: ProgramMaker(draw, MIXES[mix]).program()
    )
