"""MOO source text as tokens, read the way the C server's yylex reads it.

The shapes of tokens are those of ``grammar.lark``; here are those that are no
tokens (an unterminated string, ``1e``), the differences between versions of the
language, and the counting of lines.

Source: parser.y, yylex.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Final

from attrs import field, frozen

from pymoo.lang.grammar import END, grammar
from pymoo.lang.names import KEYWORD_VERSIONS, VERSION_FLOAT
from pymoo.values import ERROR_CODES, STEPS_PER_REPORT, UNMETERED, Meter, fold

BAD: Final = -1
"""The terminal of whatever can be no token: an error wherever it stands."""

MISSING_QUOTE: Final = "Missing quote"
IN_A_COMMENT: Final = "End of program while in a comment"
MALFORMED_OBJECT: Final = "Malformed object number"
MALFORMED_FLOAT: Final = "Malformed floating-point literal"
FLOAT_OUT_OF_RANGE: Final = "Floating-point literal out of range"

_WORD = "[A-Za-z_][A-Za-z0-9_]*"

# What looks like a number and then has an exponent without digits.  Nothing
# after it is read, so the rest does not matter.
_MALFORMED_FLOAT = r"(?:[0-9]+(?:\.(?!\.)[0-9]*)?|\.[0-9]+)[eE](?![+-]?[0-9])"

# Sources beyond this size are taken apart in portions that a meter is told of.
_LARGE = 1 << 17


@frozen(eq=False)
class Lexicon:
    """What the tokens of one version of the language are."""

    # Group 1 is the next token, "" at the end.  What is skipped comes before it.
    pattern: re.Pattern[str] = field(repr=False)
    terminals: dict[str, int] = field(repr=False)  # of punctuation and keywords
    keywords: dict[str, int]  # terminals by folded word
    future_keywords: frozenset[str]  # names here, keywords in later versions
    # The terminal of a character above 127 that is in no string and no comment.
    high_character: int

    def texts(self, source: str, meter: Meter = UNMETERED) -> list[str]:
        """Return the texts of all tokens; the first empty one is the end."""
        if len(source) < _LARGE:
            return self.pattern.findall(source)
        texts = []
        for match in self.pattern.finditer(source):
            texts.append(match[1])
            if not len(texts) % STEPS_PER_REPORT:
                meter.spend(STEPS_PER_REPORT)
        return texts

    def lines(self, source: str) -> Iterator[int]:
        """Yield for each token the line that the C server is in after reading it.

        Newlines count where white space may stand: not in a comment, and not if
        they end a string.
        """
        line, end = 1, 0
        for match in self.pattern.finditer(source):
            start = match.start(1)
            if source.find("\n", end, start) >= 0:
                for skipped in _skipped().finditer(source, end, start):
                    if skipped.lastgroup == "SPACE":
                        line += skipped[0].count("\n")
            yield line
            end = match.end()

    def classify(self, text: str) -> tuple[int, str | None]:
        """Return the terminal that a text is and what is wrong with it, if anything.

        A token that cannot be made out ends the program, as far as the parser
        sees.
        """
        first = text[:1]
        if not first:
            return _terminal(END), None
        if first >= "\x80":
            return self.high_character, None
        if first == '"':
            whole = _string().fullmatch(text) is not None
            return _terminal("STRING"), None if whole else MISSING_QUOTE
        if first == "#":
            if text[-1] in "#-":
                return _terminal(END), MALFORMED_OBJECT
            return _terminal("OBJECT"), None
        if first.isalpha() or first == "_":
            return self.keywords.get(fold(text), _terminal("NAME")), None
        if first.isdigit():
            if text.isdigit():
                return _terminal("INTEGER"), None
            return self._float(text)
        if first == "." and len(text) > 1:
            return self._float(text)
        if first == "/":
            return _terminal(END), IN_A_COMMENT
        return BAD, None

    @staticmethod
    def _float(text: str) -> tuple[int, str | None]:
        if text[-1] in "eE":
            return _terminal(END), MALFORMED_FLOAT
        out_of_range = float(text) == float("inf")
        return _terminal("FLOAT"), FLOAT_OUT_OF_RANGE if out_of_range else None


def _terminal(name: str) -> int:
    return grammar().terminals[name]


@cache
def _string() -> re.Pattern[str]:
    return re.compile(grammar().patterns["STRING"])


@cache
def _skipped() -> re.Pattern[str]:
    patterns = grammar().patterns
    return re.compile(
        "|".join(
            f"(?P<{name}>{patterns[name]})"
            for name in ("SPACE", "COMMENT", "LINE_COMMENT")
        )
    )


@cache
def lexicon(
    version: int, *, line_comments: bool = False, byte_ends: bool = False
) -> Lexicon:
    """Return the tokens of a version of the language.

    ``line_comments`` skips what follows ``//``.  With ``byte_ends``, bytes above
    127 end the program, and byte 255 a string: what they do to a C server that
    reads a list of lines, where ``char`` has a sign.  (From a file they are bad
    tokens, and may stand in strings.)
    """
    made = grammar()
    later = {word for word, since in KEYWORD_VERSIONS.items() if since > version}
    keywords = made.keywords | {
        fold(code.name): made.terminals["ERROR"] for code in ERROR_CODES
    }
    for word in later:
        del keywords[word]
    return Lexicon(
        pattern=re.compile(_token_pattern(version, line_comments, byte_ends)),
        terminals={**made.punctuation, **keywords},
        keywords=keywords,
        future_keywords=frozenset(later),
        high_character=made.terminals[END] if byte_ends else BAD,
    )


def _token_pattern(version: int, line_comments: bool, byte_ends: bool) -> str:
    patterns = grammar().patterns
    string, comment = patterns["STRING"], patterns["COMMENT"]
    ends = "\n"
    if byte_ends:
        # No character class that says what it excludes may take byte 255.
        string, comment = (text.replace("[^", "[^\xff") for text in (string, comment))
        ends = "\n\xff"
    skipped = [patterns["SPACE"], comment]
    if line_comments:
        skipped.append(patterns["LINE_COMMENT"])
    operators = sorted(grammar().punctuation, key=len, reverse=True)
    tokens = [
        _WORD,
        string,
        # It goes on to the end of the line, where a backslash quotes nothing.
        rf'"(?:[^"\\{ends}]|\\[^{ends}])*\\?(?:[{ends}]|\Z)',
        *((_MALFORMED_FLOAT, patterns["FLOAT"]) if version >= VERSION_FLOAT else ()),
        patterns["INTEGER"],
        "#-?[0-9]*",
        r"/\*[\s\S]*",
        *(re.escape(text) for text in operators if len(text) > 1),
        r"[\s\S]",
        r"\Z",
    ]
    return f"(?:{'|'.join(skipped)})*({'|'.join(tokens)})"
