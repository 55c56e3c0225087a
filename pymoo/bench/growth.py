"""What an operation costs where there is much: it should cost the same."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from pymoo.bench.cases import Case
from pymoo.bench.programs import Program


@frozen
class _Growth:
    """One operation, and what grows beside it.

    ``before`` makes so many of something, ``after`` removes them; ``start`` begins
    the verb, ``body`` is repeated in it and adds 1 to ``x``.  With ``for_all`` there
    is a round of the body for each element of ``this.list``.
    """

    name: str
    what: str
    sizes: tuple[int, ...]
    before: str
    after: str
    start: str
    body: str
    for_all: bool = False

    def program(self, size: int) -> Program:
        rounds = size if self.for_all else 200
        loop = "for o in (this.list)" if self.for_all else f"for i in [1..{rounds}]"
        code = f"""
        {self.start}
        for r in [1..n]
          x = 0;
          {loop}
            {self.body}
          endfor
        endfor
        return x;
        """
        code, before, after = (
            text.replace("@SIZE@", str(size))
            for text in (code, self.before, self.after)
        )
        return Program(code, rounds, rounds, before, after)


_LENGTHS: Final = (10, 1000, 100_000)
_OBJECTS: Final = (10, 1000, 10_000)
_DEPTHS: Final = (1, 10, 100, 500)
_DEFINITIONS: Final = (10, 100, 1000)

_MAKE_LIST: Final = """
l = {1};
while (length(l) < @SIZE@)
  l = {@l, @l};
endwhile
o.list = l[1..@SIZE@];
"""
_FORGET_LIST: Final = "o.list = 0;"

_MAKE_OBJECTS: Final = """
o.inherited = 1;
l = {};
for i in [1..@SIZE@]
  l = {@l, create(o)};
endfor
o.list = l;
"""
_RECYCLE_OBJECTS: Final = """
for x in (o.list)
  recycle(x);
endfor
o.list = 0;
"""

_MAKE_DESCENDANT: Final = """
o.inherited = 1;
x = o;
for i in [1..@SIZE@]
  x = create(x);
endfor
o.object = x;
"""
_RECYCLE_DESCENDANTS: Final = """
x = o.object;
while (x != o)
  next = parent(x);
  recycle(x);
  x = next;
endwhile
o.object = 0;
"""

_MAKE_PROPERTIES: Final = """
o.object = x = create(#-1);
for i in [1..@SIZE@]
  add_property(x, tostr("p", i), 1, {player, "r"});
endfor
"""
_MAKE_VERBS: Final = """
o.object = x = create(#-1);
for i in [1..@SIZE@]
  name = tostr("v", i);
  add_verb(x, {player, "rxd", name}, {"this", "none", "this"});
  set_verb_code(x, name, {"return 1;"});
endfor
"""
_RECYCLE_OBJECT: Final = "recycle(o.object); o.object = 0;"

_GROWTH: Final = (
    _Growth(
        "list-index",
        "l[k] in the middle of a list of",
        _LENGTHS,
        _MAKE_LIST,
        _FORGET_LIST,
        "l = this.list; k = (@SIZE@ + 1) / 2;",
        "x = x + l[k];",
    ),
    _Growth(
        "list-length",
        "length(l) of a list of",
        _LENGTHS,
        _MAKE_LIST,
        _FORGET_LIST,
        "l = this.list;",
        "x = x + (length(l) == @SIZE@);",
    ),
    _Growth(
        "call-objects",
        "a call of each of so many objects:",
        _OBJECTS,
        _MAKE_OBJECTS,
        _RECYCLE_OBJECTS,
        "",
        "x = x + o:nothing();",
        for_all=True,
    ),
    _Growth(
        "read-objects",
        "reading an inherited property of each of so many objects:",
        _OBJECTS,
        _MAKE_OBJECTS,
        _RECYCLE_OBJECTS,
        "",
        "x = x + o.inherited;",
        for_all=True,
    ),
    _Growth(
        "call-depth",
        "a call of a verb that is inherited over so many generations:",
        _DEPTHS,
        _MAKE_DESCENDANT,
        _RECYCLE_DESCENDANTS,
        "o = this.object;",
        "x = x + o:nothing();",
    ),
    _Growth(
        "read-depth",
        "reading a property that is inherited over so many generations:",
        _DEPTHS,
        _MAKE_DESCENDANT,
        _RECYCLE_DESCENDANTS,
        "o = this.object;",
        "x = x + o.inherited;",
    ),
    _Growth(
        "read-properties",
        "reading the last property of an object that has",
        _DEFINITIONS,
        _MAKE_PROPERTIES,
        _RECYCLE_OBJECT,
        "o = this.object;",
        "x = x + o.p@SIZE@;",
    ),
    _Growth(
        "call-verbs",
        "a call of the last verb of an object that has",
        _DEFINITIONS,
        _MAKE_VERBS,
        _RECYCLE_OBJECT,
        "o = this.object;",
        "x = x + o:v@SIZE@();",
    ),
)


def growth_cases() -> list[Case]:
    """Return each operation at each size."""
    return [
        Case(
            "growth",
            f"{growth.name}-{size}",
            "operation",
            f"{growth.what} {size:,}",
            growth.program(size).prepared,
        )
        for growth in _GROWTH
        for size in growth.sizes
    ]
