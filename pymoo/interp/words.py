"""How a typed line falls into words.

Source: parse_cmd.c, parse_into_words.
"""

from __future__ import annotations

import re
from typing import Final

from pymoo.db.objects import PREP_NONE
from pymoo.db.prepositions import PREPOSITIONS, exact_preposition

_WORD_PART: Final = re.compile(r'\\(.?)|(")|([^\\" ]+)|( +)', re.DOTALL)


def split_words(line: str) -> list[str]:
    """Return the words of ``line``, which blanks part.

    ``"`` switches quoting on and off anywhere in a word, and vanishes; a backslash
    makes the next character an ordinary one.  ``""`` alone is an empty word.
    """
    if '"' not in line and "\\" not in line:
        return [word for word in line.split(" ") if word]
    words: list[str] = []
    word: list[str] | None = None
    quoted = False
    for part in _WORD_PART.finditer(line):
        escaped, quote, plain, blanks = part.groups()
        if blanks is not None and not quoted:
            if word is not None:
                words.append("".join(word))
                word = None
            continue
        if word is None:
            word = []
        if quote is not None:
            quoted = not quoted
        else:
            word.append(escaped if escaped is not None else plain or blanks)
    if word is not None:
        words.append("".join(word))
    return words


def rest_of_line(line: str) -> str:
    """Return what follows the first word of ``line`` and the blanks behind it.

    The text is unchanged, quotes and trailing blanks included.
    """
    first, _, rest = line.partition(" ")
    if '"' not in first and "\\" not in first:
        return rest.lstrip(" ")
    quoted = False
    position = 0
    while position < len(line) and (quoted or line[position] != " "):
        if line[position] == '"':
            quoted = not quoted
        elif line[position] == "\\" and position + 1 < len(line):
            position += 1
        position += 1
    return line[position:].lstrip(" ")


def match_preposition(text: str) -> int:
    """Return the preposition that ``text`` names, by word or number; else PREP_NONE.

    Of several alternatives (``on/onto``) the first counts.

    Source: db_verbs.c, db_match_prep.
    """
    number = text[1:] if text.startswith("#") else text
    if number.isascii() and number.isdigit():
        return int(number) if int(number) < len(PREPOSITIONS) else PREP_NONE
    return exact_preposition(split_words(number.partition("/")[0]))
