"""The lines of a program's own text, for the lines of its canonical listing.

Nodes know on which line of the listing they are (`Program.line_of`); a file may
have several statements on a line, one on several, and comments between.  Both have
the same statements and arms in the same order: so they are counted off.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pymoo.lang.lexer import lexicon
from pymoo.lang.program import Program
from pymoo.lang.unparse import layout
from pymoo.values import fold

# What begins a line of the listing by itself: with brackets behind it, and without.
_WITH_HEAD: Final = frozenset("if elseif for while fork except".split())
_BARE: Final = frozenset(
    "else try finally endif endfor endwhile endfork endtry".split()
)
_OPENING: Final = frozenset("([{")
_CLOSING: Final = frozenset(")]}")


def source_lines(text: str, program: Program, *, line_comments: bool) -> list[int]:
    """Return where the lines of a program's listing begin in ``text``, in order.

    ``program`` is what was parsed from the text.
    """
    starts = _starts(text, program.version, line_comments=line_comments)
    lines = []
    for _, word, _ in layout(program.body):
        start, line = next(starts)
        if start == "else" != word:  # one that guards nothing is not listed
            start, line = next(starts)
        lines.append(line)
    return lines


def _starts(
    text: str, version: int, *, line_comments: bool
) -> Iterator[tuple[str, int]]:
    """Yield the keyword and line with which each part of a program begins.

    The keyword is "" for a statement that has none of its own line.
    """
    words = lexicon(version, line_comments=line_comments)
    tokens = _tokens(text, words.pattern)
    keywords = words.keywords
    for token, line in tokens:
        word = fold(token)
        if token == ";":
            continue
        if not token:
            return
        if word in keywords and word in _BARE:
            yield word, line
        elif word in keywords and word in _WITH_HEAD:
            yield word, line
            depth = 0
            for inner, _ in tokens:
                if inner in _OPENING:
                    depth += 1
                elif inner in _CLOSING:
                    depth -= 1
                    if not depth:
                        break
        else:
            yield "", line
            while token != ";":
                token, _ = next(tokens)


def _tokens(text: str, pattern: re.Pattern[str]) -> Iterator[tuple[str, int]]:
    """Yield each token with its line; "" is the end.

    Newlines in comments count, which they do not in the C server's messages.
    """
    line, end = 1, 0
    for match in pattern.finditer(text):
        start = match.start(1)
        line += text.count("\n", end, start)
        yield match[1], line
        end = start
