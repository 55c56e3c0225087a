"""Random MOO programs that mostly do something: the types fit more often than not.

Every loop ends by itself, or by the ticks of whoever runs it.  ``program(seed)`` is
the same text for ever.
"""

from __future__ import annotations

import random
from collections.abc import Callable

NUMBERS = ("i", "j", "k")
TEXTS = ("s", "u")
LISTS = ("l", "m")
OTHERS = ("x", "y", "z")
TYPES = ("INT", "STR", "LIST", "OBJ", "ERR", "FLOAT", "NUM")
LOGIC = ("&&", "||")
PROPERTIES = ("foo", "name", "r", "p", "owner")


class _Writer:
    def __init__(self, seed: int, *, with_finally: bool = True) -> None:
        self.random = random.Random(seed)
        self.loops: list[str] = []
        self.with_finally = with_finally
        self.in_fork = False

    def one(self, *choices: Callable[[], str]) -> str:
        return self.random.choice(choices)()

    def name(self, *groups: tuple[str, ...]) -> str:
        return self.random.choice([each for group in groups for each in group])

    # --- expressions ---

    def number(self, depth: int) -> str:
        r = self.random
        if depth <= 0:
            return self.one(
                lambda: str(r.choice([0, 1, 2, 3, -1, 7, 2147483647, 65536])),
                lambda: self.name(NUMBERS),
                lambda: self.name(NUMBERS),
                lambda: self.name(OTHERS),
            )
        d = depth - 1
        return self.one(
            lambda: f"({self.number(d)} {r.choice('+-*')} {self.number(d)})",
            lambda: f"({self.number(d)} {r.choice('+-*/%')} {self.number(d)})",
            lambda: (
                f"({self.number(d)} {r.choice(['/', '%', '-', '+'])} {r.randint(1, 4)})"
            ),
            lambda: f"({self.number(d)} ^ {r.randint(0, 3)})",
            lambda: f"-{self.name(NUMBERS)}",
            lambda: f"length({self.sequence(d)})",
            lambda: f"({self.any(d)} in {self.list(d)})",
            lambda: f"this:s({self.number(d)})",
            lambda: f"this:add({self.number(d)}, {self.number(d)})",
            lambda: f"({self.name(NUMBERS)} = {self.number(d)})",
            lambda: f"{self.list(d)}[{self.number(d)}]",
            lambda: "ticks_left()",
            lambda: f"max({self.number(d)}, {self.number(d)})",
            lambda: f"min({self.number(d)}, {self.number(0)}, 3)",
            lambda: f"abs({self.number(d)})",
            lambda: f"toint({self.any(d)})",
            lambda: f"this:loop({self.number(0)} % 5)",
            lambda: f"({self.condition(d)} ? {self.number(d)} | {self.number(d)})",
            lambda: "#4.n",
            lambda: f"(#4.n = {self.number(d)})",
            lambda: f"index({self.text(d)}, {self.text(0)})",
        )

    def text(self, depth: int) -> str:
        if depth <= 0:
            return self.one(
                lambda: self.random.choice(['"abc"', '""', '"ABC"', '"two"', '"b"']),
                lambda: self.name(TEXTS),
            )
        d = depth - 1
        return self.one(
            lambda: f"({self.text(d)} + {self.text(d)})",
            lambda: f"tostr({self.any(d)}, {self.any(d)})",
            lambda: f"{self.text(d)}[{self.number(d)}]",
            lambda: f"{self.text(d)}[{self.number(0)}..{self.dollar(d)}]",
            lambda: f"this:s({self.text(d)})",
            lambda: "#5.name",
            lambda: f"strsub({self.text(d)}, {self.text(0)}, {self.text(0)})",
            lambda: f"({self.name(TEXTS)} = {self.text(d)})",
            lambda: f"toliteral({self.any(d)})",
        )

    def list(self, depth: int) -> str:
        if depth <= 0:
            return self.one(
                lambda: "{1, 2, 3}",
                lambda: "{}",
                lambda: self.name(LISTS),
                lambda: self.name(LISTS),
                lambda: "args",
            )
        d = depth - 1
        return self.one(
            lambda: f"{{{self.any(d)}, @{self.list(d)}, {self.any(d)}}}",
            lambda: f"{{@{self.list(d)}, {self.any(d)}}}",
            lambda: f"{{@{self.any(d)}}}",
            lambda: f"{self.list(d)}[{self.number(0)}..{self.dollar(d)}]",
            lambda: f"this:echo({self.any(d)}, @{self.list(d)})",
            lambda: f"listappend({self.list(d)}, {self.any(d)})",
            lambda: f"setadd({self.list(d)}, {self.any(d)})",
            lambda: f"({self.name(LISTS)} = {self.list(d)})",
            lambda: f"({self.name(LISTS)}[1..{self.number(0)}] = {self.list(d)})",
            lambda: "this:passing(1)",
            lambda: "#5.foo",
            lambda: "callers(1)",
            lambda: "this:deep(2)",
            lambda: "this:parse()",
            lambda: f"listdelete({self.list(d)}, {self.number(0)})",
        )

    def dollar(self, depth: int) -> str:
        return self.one(lambda: "$", lambda: "$ - 1", lambda: f"{self.number(depth)}")

    def sequence(self, depth: int) -> str:
        return self.one(lambda: self.text(depth), lambda: self.list(depth))

    def condition(self, depth: int) -> str:
        d = depth - 1
        if depth <= 0:
            return self.number(0)
        operator = self.random.choice(["==", "!=", "<", "<=", ">", ">="])
        return self.one(
            lambda: f"({self.number(d)} {operator} {self.number(d)})",
            lambda: f"({self.any(d)} {self.random.choice(['==', '!='])} {self.any(d)})",
            lambda: f"({self.text(d)} {operator} {self.text(d)})",
            lambda: (
                f"({self.condition(d)} {self.random.choice(LOGIC)} {self.condition(d)})"
            ),
            lambda: f"!{self.condition(d)}",
            lambda: (
                f"(typeof({self.any(d)}) {self.random.choice(['==', '!='])}"
                f" {self.random.choice(TYPES)})"
            ),
            lambda: f"valid({self.object()})",
            lambda: self.number(d),
            lambda: (
                f"(this:s({self.number(0)}) {self.random.choice(LOGIC)}"
                f" {self.condition(d)} {self.random.choice(LOGIC)} {self.number(d)})"
            ),
        )

    def object(self) -> str:
        return self.random.choice(["this", "player", "#5", "#-1", "#99", "caller", "x"])

    def any(self, depth: int) -> str:
        d = depth - 1
        if depth <= 0:
            return self.one(
                lambda: self.number(0),
                lambda: self.text(0),
                lambda: self.list(0),
                lambda: self.name(OTHERS),
                lambda: self.random.choice(
                    ["1.5", "0.0", "#5", "E_PERM", "unset", "verb", "-2.25"]
                ),
                lambda: self.object(),
            )
        return self.one(
            lambda: self.number(depth),
            lambda: self.number(depth),
            lambda: self.text(depth),
            lambda: self.list(depth),
            lambda: self.any(0),
            lambda: self.condition(d),
            lambda: f"({self.name(OTHERS)} = {self.any(d)})",
            lambda: f"`{self.any(d)} ! {self.codes(0)} => {self.any(d)}'",
            lambda: f"`{self.any(d)} ! {self.codes(d)}'",
            lambda: f"{self.object()}.{self.random.choice(PROPERTIES)}",
            lambda: f"this.({self.text(0)})",
            lambda: f'this:("s")({self.any(d)})',
            lambda: f"this:fail({self.any(0)})",
            lambda: f"this:plain({self.any(0)})",
            lambda: f"({self.any(d)} {self.random.choice('+-*/%^')} {self.any(d)})",
            lambda: (
                f"({{{self.name(NUMBERS)}, ?{self.name(OTHERS)} = {self.any(d)},"
                f" @{self.name(LISTS)}}} = {self.list(d)})"
            ),
            lambda: f"raise({self.any(0)}, {self.text(0)}, {self.any(0)})",
            lambda: f"length({self.any(d)})",
            lambda: "random(1)",
            lambda: f'call_function("tostr", {self.any(d)})',
            lambda: f'eval("return 1 + " + tostr({self.number(0)}) + ";")',
        )

    def codes(self, depth: int) -> str:
        return self.random.choice(
            [
                "ANY",
                "E_TYPE",
                "E_RANGE, E_DIV",
                "E_PERM, E_VARNF",
                "@{E_TYPE, E_INVARG}",
                "this:s(E_TYPE)",
            ]
        )

    # --- statements ---

    def block(self, depth: int) -> str:
        return " ".join(self.statement(depth) for _ in range(self.random.randint(0, 3)))

    def statement(self, depth: int) -> str:
        r = self.random
        choices: list[Callable[[], str]] = [
            lambda: f"{self.name(NUMBERS)} = {self.number(2)};",
            lambda: f"{self.name(TEXTS)} = {self.text(2)};",
            lambda: f"{self.name(LISTS)} = {self.list(2)};",
            lambda: f"{self.name(OTHERS)} = {self.any(2)};",
            lambda: f"{self.any(2)};",
            lambda: f"{self.name(LISTS)}[{self.number(1)}] = {self.any(1)};",
            lambda: (
                f"{self.name(LISTS)}[{self.number(0)}][{self.dollar(0)}]"
                f" = {self.any(1)};"
            ),
            lambda: (
                f"{self.name(LISTS)}[{self.number(0)}..{self.dollar(0)}]"
                f" = {self.list(1)};"
            ),
            lambda: f"{self.name(TEXTS)}[{self.dollar(1)}] = {self.text(0)};",
            lambda: f"{(v := self.name(LISTS))}[1] = ({v} = {self.any(1)});",
            lambda: f"{(v := self.name(OTHERS))}[1] = ({v} = {self.any(1)});",
            lambda: f"this.foo = {self.any(1)};",
            lambda: f"#5.foo[{self.number(0)}] = {self.any(1)};",
            lambda: (
                f"{self.object()}.{r.choice(['name', 'foo', 'w'])} = {self.any(0)};"
            ),
            lambda: f"{{{self.name(NUMBERS)}, {self.name(OTHERS)}}} = {self.list(1)};",
            lambda: (
                f"{{{self.name(NUMBERS)}, ?{self.name(NUMBERS)} = {self.number(1)},"
                f" {self.name(OTHERS)}, @{self.name(LISTS)}}} = {self.list(1)};"
            ),
            lambda: (
                f"{{?{self.name(NUMBERS)} = {self.any(1)}, @{self.name(LISTS)},"
                f" {self.name(OTHERS)}}} = {self.list(1)};"
            ),
            lambda: f"{{?{self.name(NUMBERS)}, {self.name(OTHERS)}}} = {self.list(1)};",
            lambda: f"notify(player, tostr({self.any(1)}));",
            lambda: "suspend(0);" if r.random() < 0.3 else "",
            lambda: (
                f"{r.choice(['argstr', 'dobj', 'player'])} = {self.any(0)};"
                if r.random() < 0.2
                else ""
            ),
            lambda: f"set_task_perms({self.object()});" if r.random() < 0.1 else "",
            lambda: f"return {self.any(2)};" if r.random() < 0.2 else "",
        ]
        if self.loops:
            choices += [
                lambda: (
                    f"if ({self.condition(1)}) {r.choice(['break', 'continue'])}; endif"
                ),
                lambda: (
                    f"if ({self.condition(1)}) {r.choice(['break', 'continue'])}"
                    f" {r.choice(self.loops)}; endif"
                ),
            ]
        if depth > 0:
            d = depth - 1
            choices += [
                lambda: (
                    f"if ({self.condition(2)}) {self.block(d)}"
                    f" else {self.block(d)} endif"
                ),
                lambda: (
                    f"if ({self.condition(1)}) {self.block(d)} elseif"
                    f" ({self.condition(2)}) {self.block(d)} else {self.block(d)} endif"
                ),
                lambda: self.loop(d),
                lambda: self.loop(d),
                lambda: self.loop(d),
                lambda: (
                    f"try {self.block(d)} except {r.choice(['', 'e '])}"
                    f"({self.codes(1)}) {self.block(d)} endtry"
                ),
                lambda: (
                    f"try {self.block(d)} except (E_PERM) {self.block(d)} except x"
                    f" (ANY) {self.block(d)} endtry"
                ),
                lambda: (
                    f"try {self.block(d)} finally {self.block(d)} endtry"
                    if self.with_finally
                    else ""
                ),
                lambda: self.fork(d),
            ]
        return r.choice(choices)()

    def fork(self, depth: int) -> str:
        around, self.loops = self.loops, []
        text = f"fork {self.random.choice(['', 'x '])}(0) {self.block(depth)} endfork"
        self.loops = around
        return text

    def loop(self, depth: int) -> str:
        r = self.random
        kind = r.randint(0, 4)
        variable = r.choice(["i", "j", "x", "y", "q", "w"])
        if kind == 4:
            name = r.choice(["", "named"])
            variable = name
            # The test of a named loop looks at no limit: something else must.
            head = f"while {name} ((k = k + 1) < 9 && {self.condition(1)})"
            end = "endwhile"
        elif kind == 3:
            head, end = f"for {variable} in ({self.list(1)})", "endfor"
        elif kind == 2:
            head, end = f"for {variable} in ({self.any(1)})", "endfor"
        elif kind == 1:
            head, end = f"for {variable} in [#3..#5]", "endfor"
        else:
            head = f"for {variable} in [{self.number(0)}..{self.number(1)} % 6]"
            end = "endfor"
        if variable:
            self.loops.append(variable)
        text = f"{head} {self.block(depth)} {self.block(depth)} {end}"
        if variable:
            self.loops.pop()
        return text


def program(seed: int, *, with_finally: bool = True, guarded: bool = False) -> str:
    """Return the text of a random program.

    In one that is ``guarded`` an error ends a statement at most.
    """
    writer = _Writer(seed, with_finally=with_finally)
    parts = ['i = 1; j = 3; k = 5; s = "abc"; u = ""; l = {1, 2, 3}; m = {{1}, 2};']
    parts.append('x = #5; y = {1, "b"}; z = 2;')
    for _ in range(writer.random.randint(2, 6)):
        statement = writer.statement(3)
        if guarded:
            statement = f"try {statement} except (ANY) endtry"
        parts.append(statement)
    parts.append("return {i, j, k, s, u, l, m};")
    return " ".join(parts) + "\n"
