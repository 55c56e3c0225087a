"""What the language costs: programs of one kind of work each.

This is a table, long because the programs are written out: a part for each class, in
the order in which they are shown, and in it a row for each case: its name, what it
does, and its program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pymoo.bench.cases import Case, nothing_lacks
from pymoo.bench.programs import Program

if TYPE_CHECKING:
    from pymoo.bench.session import Session

# What the programs below call: verbs of the scratch object.
FIXTURE_VERBS: Final = {
    "nothing": "return 1;",
    "sum": "{a, b} = args; return a + b;",
    "fib": "{n} = args;\nreturn n < 2 ? n | this:fib(n - 1) + this:fib(n - 2);",
    "down": "{n} = args;\nif (n == 0)\nreturn 0;\nendif\nreturn 1 + this:down(n - 1);",
    "level": "return args[1] + 1;",
}

LEVELS: Final = 5

# A chain of children of the scratch object, each of which passes `level` on.
MAKE_CHILDREN: Final = f"""
kids = {{}};
x = o;
for i in [1..{LEVELS}]
  x = create(x);
  kids = {{@kids, x}};
  add_verb(x, {{player, "rxd", "level"}}, {{"this", "none", "this"}});
  set_verb_code(x, "level", {{"return pass(@args) + 1;"}});
endfor
o.list = kids;
"""
RECYCLE_CHILDREN: Final = """
for i in [1..length(o.list)]
  recycle(o.list[$ + 1 - i]);
endfor
o.list = 0;
"""

_LOOP: Final = (
    "loops",
    "round",
    [
        (
            "for-range",
            "for i in [1..n] x = x + i",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..1000]
                    x = x + i;
                  endfor
                endfor
                return x;
                """,
                1000,
                500_500,
            ),
        ),
        (
            "while",
            "while (i < n) i = i + 1",
            Program(
                """
                for r in [1..n]
                  i = 0;
                  while (i < 1000)
                    i = i + 1;
                  endwhile
                endfor
                return i;
                """,
                1000,
                1000,
            ),
        ),
        (
            "for-list",
            "for x in (list) with a sum, and an if",
            Program(
                """
                l = {};
                for i in [1..100]
                  l = {@l, i};
                endfor
                for r in [1..n]
                  even = 0;
                  for k in [1..10]
                    for x in (l)
                      if (x % 2 == 0)
                        even = even + x;
                      endif
                    endfor
                  endfor
                endfor
                return even;
                """,
                1000,
                25_500,
            ),
        ),
        (
            "nested",
            "two nested ranges and an index",
            Program(
                """
                l = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
                for r in [1..n]
                  x = 0;
                  for k in [1..100]
                    for j in [1..10]
                      x = x + l[j];
                    endfor
                  endfor
                endfor
                return x;
                """,
                1000,
                5500,
            ),
        ),
    ],
)

_CALLS: Final = (
    "calls",
    "call",
    [
        (
            "nothing",
            "a verb that returns 1",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..500]
                    x = x + this:nothing();
                  endfor
                endfor
                return x;
                """,
                500,
                500,
            ),
        ),
        (
            "arguments",
            "a verb that takes two arguments by {a, b} = args",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..500]
                    x = this:sum(x, i);
                  endfor
                endfor
                return x;
                """,
                500,
                125_250,
            ),
        ),
        (
            "fib",
            "fib(12), which calls itself twice",
            Program(
                """
                for r in [1..n]
                  x = this:fib(12);
                endfor
                return x;
                """,
                465,
                144,
            ),
        ),
        (
            "deep",
            "a verb that calls itself 40 deep",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..10]
                    x = x + this:down(40);
                  endfor
                endfor
                return x;
                """,
                410,
                400,
            ),
        ),
        (
            "pass",
            f"pass(@args) through {LEVELS} parents",
            Program(
                f"""
                o = this.list[{LEVELS}];
                for r in [1..n]
                  x = 0;
                  for i in [1..100]
                    x = o:level(x);
                  endfor
                endfor
                return x;
                """,
                100 * (LEVELS + 1),
                100 * (LEVELS + 1),
                before=MAKE_CHILDREN,
                after=RECYCLE_CHILDREN,
            ),
        ),
    ],
)

_LISTS: Final = (
    "lists",
    "step",
    [
        (
            "append",
            "l = {@l, i} up to 500 elements",
            Program(
                """
                for r in [1..n]
                  l = {};
                  for i in [1..500]
                    l = {@l, i};
                  endfor
                endfor
                return l[250] + length(l);
                """,
                500,
                750,
            ),
        ),
        (
            "splice",
            "a list of 100 put together from parts of itself",
            Program(
                """
                base = {};
                for i in [1..100]
                  base = {@base, i};
                endfor
                for r in [1..n]
                  l = base;
                  for i in [1..50]
                    l = {@l[51..$], @l[1..50]};
                    l = listset(l[2..$], i, 1);
                    l = {@l, i};
                  endfor
                endfor
                return length(l);
                """,
                150,
                100,
            ),
        ),
        (
            "assign",
            "l[i] = l[i] + i",
            Program(
                """
                base = {};
                for i in [1..100]
                  base = {@base, 0};
                endfor
                for r in [1..n]
                  l = base;
                  for k in [1..5]
                    for i in [1..100]
                      l[i] = l[i] + i;
                    endfor
                  endfor
                endfor
                return l[100];
                """,
                500,
                500,
            ),
        ),
        (
            "matrix",
            "the product of two matrices of 8 x 8",
            Program(
                """
                a = {};
                for i in [1..8]
                  row = {};
                  for j in [1..8]
                    row = {@row, i + j};
                  endfor
                  a = {@a, row};
                endfor
                for r in [1..n]
                  c = {};
                  for i in [1..8]
                    row = {};
                    for j in [1..8]
                      s = 0;
                      for k in [1..8]
                        s = s + a[i][k] * a[k][j];
                      endfor
                      row = {@row, s};
                    endfor
                    c = {@c, row};
                  endfor
                endfor
                return c[8][8];
                """,
                512,
                sum((8 + k) ** 2 for k in range(1, 9)),
            ),
        ),
        (
            "sieve",
            "primes up to 1000; a step is a number",
            Program(
                """
                base = {};
                for i in [1..1000]
                  base = {@base, 1};
                endfor
                for r in [1..n]
                  s = base;
                  primes = 0;
                  for i in [2..1000]
                    if (s[i])
                      primes = primes + 1;
                      j = i * i;
                      while (j <= 1000)
                        s[j] = 0;
                        j = j + i;
                      endwhile
                    endif
                  endfor
                endfor
                return primes;
                """,
                1000,
                168,
            ),
        ),
        (
            "in-and-sets",
            "in, setadd() and setremove() in a list of 50",
            Program(
                """
                l = {};
                for i in [1..50]
                  l = {@l, i};
                endfor
                for r in [1..n]
                  x = 0;
                  for i in [1..100]
                    x = x + (50 in l);
                    x = x + length(setadd(l, 25)) + length(setremove(l, 25));
                  endfor
                endfor
                return x;
                """,
                300,
                100 * (50 + 50 + 49),
            ),
        ),
    ],
)

_PHRASE: Final = "the quick brown fox jumps over the lazy dog and no more"

_STRINGS: Final = (
    "strings",
    "operation",
    [
        (
            "append",
            's = s + "x" up to 500 letters',
            Program(
                """
                for r in [1..n]
                  s = "";
                  for i in [1..500]
                    s = s + "x";
                  endfor
                endfor
                return length(s);
                """,
                500,
                500,
            ),
        ),
        (
            "letters",
            's[i] == "O" for each letter',
            Program(
                f"""
                s = "{_PHRASE}";
                for r in [1..n]
                  c = 0;
                  for k in [1..10]
                    for i in [1..length(s)]
                      if (s[i] == "O")
                        c = c + 1;
                      endif
                    endfor
                  endfor
                endfor
                return c;
                """,
                10 * len(_PHRASE),
                10 * _PHRASE.count("o"),
            ),
        ),
        (
            "functions",
            "==, index(), strsub(), s[a..b], strcmp(), tostr()",
            Program(
                """
                s = "The quick brown fox";
                for r in [1..n]
                  x = 0;
                  for i in [1..100]
                    x = x + (s == "the QUICK brown fox") + index(s, "FOX");
                    x = x + length(strsub(s, "quick", "slow")) + length(s[5..9]);
                    x = x + (strcmp(s, "The quick") > 0) + length(tostr(s, 1));
                  endfor
                endfor
                return x;
                """,
                600,
                100 * (1 + 17 + 18 + 5 + 1 + 20),
            ),
        ),
        (
            "patterns",
            "match() with groups, substitute(), a match() that fails",
            Program(
                """
                s = "Hello there, brave new World 42 times";
                for r in [1..n]
                  x = 0;
                  for i in [1..50]
                    m = match(s, "%([a-z]+%) %([0-9]+%) t");
                    x = x + m[1] + length(substitute("%2:%1", m));
                    x = x + length(match("foo bar baz", "^[^b]*qux"));
                  endfor
                endfor
                return x;
                """,
                150,
                50 * (24 + 8 + 0),
            ),
        ),
    ],
)

_PROPERTIES: Final = (
    "properties",
    "access",
    [
        (
            "read",
            "x = x + o.count",
            Program(
                """
                this.count = 3;
                for r in [1..n]
                  x = 0;
                  for i in [1..500]
                    x = x + this.count;
                  endfor
                endfor
                return x;
                """,
                500,
                1500,
            ),
        ),
        (
            "inherited",
            f"a value that is clear on {LEVELS} objects",
            Program(
                f"""
                o = this.list[{LEVELS}];
                for r in [1..n]
                  x = 0;
                  for i in [1..500]
                    x = x + o.inherited;
                  endfor
                endfor
                return x;
                """,
                500,
                3500,
                before=MAKE_CHILDREN + "o.inherited = 7;",
                after=RECYCLE_CHILDREN,
            ),
        ),
        (
            "write",
            "o.count = i",
            Program(
                """
                for r in [1..n]
                  for i in [1..500]
                    this.count = i;
                  endfor
                endfor
                return this.count;
                """,
                500,
                500,
            ),
        ),
        (
            "built-in",
            "o.name, o.location",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..250]
                    x = x + length(this.name);
                    if (this.location == #-1)
                      x = x + 1;
                    endif
                  endfor
                endfor
                return x;
                """,
                500,
                250 * (len("scratch") + 1),
            ),
        ),
        (
            "computed",
            'o.(name) of {"count", "answer"}',
            Program(
                """
                this.count = 2;
                this.answer = 3;
                names = {"count", "answer"};
                for r in [1..n]
                  x = 0;
                  for i in [1..250]
                    for name in (names)
                      x = x + this.(name);
                    endfor
                  endfor
                endfor
                return x;
                """,
                500,
                1250,
            ),
        ),
    ],
)

_BUILTINS: Final = (
    "builtins",
    "operation",
    [
        (
            "values",
            "max(), min(), abs(), length(), typeof()",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..200]
                    x = max(x, i);
                    x = x + abs(-1) + length("abc") + typeof(i) - min(3, 4);
                  endfor
                endfor
                return x;
                """,
                1000,
                201,
            ),
        ),
        (
            "of-the-task",
            "valid(), caller_perms(), ticks_left()",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..200]
                    x = x + valid(player) + (caller_perms() == #-1);
                    x = x + (ticks_left() > 0);
                  endfor
                endfor
                return x;
                """,
                600,
                600,
            ),
        ),
        (
            "scatter",
            "{a, b, ?c = 9, @d} = l",
            Program(
                """
                l = {1, 2, 3, 4, 5};
                for r in [1..n]
                  x = 0;
                  for i in [1..300]
                    {a, b, ?c = 9, @d} = l;
                    x = x + c + length(d);
                  endfor
                endfor
                return x;
                """,
                300,
                1500,
            ),
        ),
        (
            "try",
            "try ... except, with nothing to catch",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..300]
                    try
                      x = x + i;
                    except e (E_TYPE)
                      x = -1;
                    endtry
                  endfor
                endfor
                return x;
                """,
                300,
                45_150,
            ),
        ),
        (
            "try-caught",
            "try ... except, with an error each time",
            Program(
                """
                l = {1};
                for r in [1..n]
                  x = 0;
                  for i in [1..300]
                    try
                      y = l[2];
                    except e (E_RANGE)
                      x = x + 1;
                    endtry
                  endfor
                endfor
                return x;
                """,
                300,
                300,
            ),
        ),
        (
            "catch",
            "`l[2] ! E_RANGE => 1'",
            Program(
                """
                l = {1};
                for r in [1..n]
                  x = 0;
                  for i in [1..300]
                    x = x + `l[2] ! E_RANGE => 1';
                  endfor
                endfor
                return x;
                """,
                300,
                300,
            ),
        ),
        (
            "eval",
            'eval("return 1 + 2;")',
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..20]
                    x = x + eval("return 1 + 2;")[2];
                  endfor
                endfor
                return x;
                """,
                20,
                60,
            ),
        ),
    ],
)


def _mandelbrot() -> int:
    """Return how many iterations the program below makes."""
    total = 0
    for y in range(12):
        for x in range(24):
            cr, ci = x / 8.0 - 2.0, y / 6.0 - 1.0
            zr = zi = 0.0
            i = 0
            while i < 30 and zr * zr + zi * zi < 4.0:
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
                i += 1
            total += i
    return total


_FLOATS: Final = (
    "floats",
    "iteration",
    [
        (
            "mandelbrot",
            "three multiplications, four additions, a comparison",
            Program(
                """
                for r in [1..n]
                  total = 0;
                  for y in [0..11]
                    for x in [0..23]
                      cr = tofloat(x) / 8.0 - 2.0;
                      ci = tofloat(y) / 6.0 - 1.0;
                      zr = zi = 0.0;
                      i = 0;
                      while (i < 30 && zr * zr + zi * zi < 4.0)
                        t = zr * zr - zi * zi + cr;
                        zi = 2.0 * zr * zi + ci;
                        zr = t;
                        i = i + 1;
                      endwhile
                      total = total + i;
                    endfor
                  endfor
                endfor
                return total;
                """,
                _mandelbrot(),
                _mandelbrot(),
            ),
        ),
        (
            "functions",
            "sqrt(), sin(), floor(), floatstr()",
            Program(
                """
                for r in [1..n]
                  x = 0;
                  for i in [1..100]
                    f = tofloat(i);
                    if (sqrt(f * f) == f && floor(f + 0.5) == f && sin(0.0) == 0.0)
                      x = x + length(floatstr(f, 2)) + i / i;
                    endif
                  endfor
                endfor
                return x;
                """,
                100,
                9 * 4 + 90 * 5 + 6 + 100,
            ),
        ),
    ],
)

_OBJECTS: Final = (
    "objects",
    "operation",
    [
        (
            "create-recycle",
            "create() and recycle() of an object, as a pair",
            Program(
                """
                for r in [1..n]
                  for i in [1..20]
                    o = create(this);
                    o.count = i;
                    recycle(o);
                  endfor
                endfor
                return valid(o);
                """,
                20,
                0,
            ),
        ),
        (
            "move",
            "move() between two objects",
            Program(
                """
                {o, a, b} = this.list[1..3];
                for r in [1..n]
                  for i in [1..25]
                    move(o, a);
                    move(o, b);
                  endfor
                endfor
                found = length(b.contents);
                move(o, #-1);
                return found;
                """,
                50,
                1,
                before=MAKE_CHILDREN,
                after=RECYCLE_CHILDREN,
            ),
        ),
        (
            "add-property",
            "add_property() and delete_property(), as a pair",
            Program(
                """
                for r in [1..n]
                  for i in [1..20]
                    add_property(this, "new", i, {player, "r"});
                    x = this.new;
                    delete_property(this, "new");
                  endfor
                endfor
                return x;
                """,
                20,
                20,
                before=MAKE_CHILDREN,
                after=RECYCLE_CHILDREN,
            ),
        ),
        (
            "program-verb",
            "set_verb_code() and verb_code() of ten lines, as a pair",
            Program(
                """
                code = {"x = 0;", "for i in [1..10]", "  if (i % 2 == 0 && this)",
                  "    x = x + length(this.name) * 2;", "  else",
                  "    x = `args[i] ! ANY => 0';", "  endif",
                  "  this:nothing(x, {1, @args});", "endfor", "return x;"};
                add_verb(this, {player, "rxd", "new"}, {"this", "none", "this"});
                for r in [1..n]
                  set_verb_code(this, "new", code);
                  lines = verb_code(this, "new");
                endfor
                delete_verb(this, "new");
                return length(lines);
                """,
                1,
                10,
            ),
        ),
    ],
)

_TASKS: Final = (
    "tasks",
    "task switch",
    [
        (
            "suspend",
            "suspend(0)",
            Program(
                """
                this.answer = 0;
                for r in [1..n]
                  for i in [1..50]
                    suspend(0);
                  endfor
                endfor
                this.answer = i;
                """,
                50,
                50,
            ),
        ),
        (
            "fork",
            "fork (0): a task is queued, and runs",
            Program(
                """
                this.answer = 0;
                this.count = 0;
                for r in [1..n]
                  for i in [1..50]
                    fork (0)
                      this.count = this.count + 1;
                    endfork
                  endfor
                  suspend(0);
                endfor
                fork (0)
                  this.answer = this.count / n;
                endfork
                suspend(0);
                """,
                50,
                50,
            ),
        ),
    ],
)

_SORTED: Final = sorted(i * 7919 % 1009 for i in range(1, 51))

_UTILITIES: Final = (
    "utilities",
    "call",
    [
        (
            "sort",
            "$list_utils:sort() of 50 numbers",
            Program(
                """
                l = {};
                for i in [1..50]
                  l = {@l, i * 7919 % 1009};
                endfor
                for r in [1..n]
                  s = $list_utils:sort(l);
                endfor
                return s[1] * 10000 + s[50];
                """,
                1,
                _SORTED[0] * 10_000 + _SORTED[-1],
            ),
        ),
        (
            "lists",
            "$list_utils:assoc(), :slice(), :reverse(), :remove_duplicates()",
            Program(
                """
                l = {{"a", 1}, {"b", 2}, {"c", 3}};
                for r in [1..n]
                  x = 0;
                  for i in [1..10]
                    x = x + $list_utils:assoc("c", l)[2];
                    x = x + length($list_utils:slice(l));
                    x = x + length($list_utils:reverse({1, 2, 3, 4}));
                    x = x + length($list_utils:remove_duplicates({1, 2, 2, 3}));
                  endfor
                endfor
                return x;
                """,
                40,
                10 * (3 + 3 + 4 + 3),
            ),
        ),
        (
            "english-list",
            "$string_utils:english_list() of four",
            Program(
                """
                for r in [1..n]
                  for i in [1..10]
                    s = $string_utils:english_list({"a", "b", "c", "d"});
                  endfor
                endfor
                return index(s, "and d") > 0;
                """,
                10,
                1,
            ),
        ),
        (
            "pronouns",
            "$string_utils:pronoun_sub() with two names in it",
            Program(
                """
                for r in [1..n]
                  for i in [1..10]
                    s = $string_utils:pronoun_sub("%N looks at %n.", player);
                  endfor
                endfor
                return s == tostr(player.name, " looks at ", player.name, ".");
                """,
                10,
                1,
            ),
        ),
    ],
)

_GROUPS: Final = (
    _LOOP,
    _CALLS,
    _LISTS,
    _STRINGS,
    _PROPERTIES,
    _BUILTINS,
    _FLOATS,
    _OBJECTS,
    _TASKS,
    _UTILITIES,
)


def _lack_of_utilities(session: Session) -> str:
    missing = {"list_utils", "string_utils"} - session.system_properties
    return " and ".join(f"${name}" for name in sorted(missing))


def language_cases() -> list[Case]:
    """Return the cases of the language, class by class."""
    return [
        Case(
            group,
            name,
            per,
            what,
            program.prepared,
            lack=_lack_of_utilities if group == "utilities" else nothing_lacks,
        )
        for group, per, rows in _GROUPS
        for name, what, program in rows
    ]
