"""Texts that are MOO programs, nearly some, or none: seeds and pieces."""

from __future__ import annotations

from functools import cache
from typing import Final

from hypothesis import strategies as st

from pymoo.worlds.starter import build_starter
from tests.fuzz.mutating import mutated
from tests.lang.programs import RECORDED
from tests.lang.test_cores import programs_of
from tests.shared_material import HAVE_SHARED

TOKENS: Final = (
    "if (x)\n", "elseif (x)\n", "else\n", "endif\n", "for i in (x)\n",
    "for i in [1..3]\n", "endfor\n", "fork (0)\n", "endfork\n", "while (x)\n",
    "while w (x)\n", "endwhile\n", "try\n", "except e (ANY)\n", "finally\n", "endtry\n",
    "return x;\n", "break;\n", "continue w;\n", ";\n", "x = 1;\n",
    "{a, ?b = 2, @c} = x;",
    " + ", " - ", "*", "/", "%", "^", "==", "!=", "<", "<=", " in ", "&&", "||", "!",
    "-",
    " ? ", " | ", "=", ".", "..", ":", "$", "@", ",", "(", ")", "[", "]", "{", "}", "`",
    "'", "=>", "?", "#", "#-1", "#12", "x", "length", "args", "this:foo(@args)",
    "$name",
    "x.y", "x.(y)", "x:(y)()", "x[1..$]", "1", "1.5", "1e", "1.", "1..2", "99999999999",
    "1e999", "2147483648", '"text"', '"un', '"\\', "E_PERM", "e_type", "ANY", "/*",
    "*/",
    "//", "\\", "\x00", "\t", "\r", "\xe9", "\xff", "~", "\u20ac", "\n", "((((((((((",
    "`x ! ANY => 1'", "$" * 3, "x" * 100, "- " * 50, "{" * 60, "!" * 200,
)  # fmt: skip


@cache
def seeds() -> tuple[str, ...]:
    """Return programs that people have written, or that others were tested with."""
    texts = [case["source"] for case in RECORDED]
    if HAVE_SHARED:
        # Every verb of LambdaCore.
        texts += [
            "".join(f"{line}\n" for line in lines)
            for lines in programs_of("LambdaCore-20Jun18").values()
        ]
    for record in build_starter().objects():
        texts += [verbdef.code for verbdef in record.verbs if verbdef.code]
    return tuple(dict.fromkeys(text for text in texts if len(text) < 4_000))


PROGRAMS: Final[st.SearchStrategy[str]] = st.deferred(
    lambda: st.one_of(
        mutated(seeds(), TOKENS, line="\n"),
        mutated(seeds(), TOKENS, line="\n"),
        st.lists(st.sampled_from(TOKENS), max_size=25).map("".join),
        st.text(max_size=40),
    )
)
