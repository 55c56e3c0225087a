"""The tokens of ``grammar.lark``, and the moves of the automaton that Lark makes of it.

Lark turns the grammar into LALR tables; `Grammar` holds them in the form that
`parser` runs.  It is the form that yacc gives a parser: each state has its shifts
and at most one reduction, which is made whatever the next token is.  So a parser
asks for the next token no sooner, and stops at a wrong one no sooner, than the C
server's, and both have the same messages in the same order.

Making the tables takes Lark a tenth of a second, so they are shipped in
``grammar.json`` beside this module, with the digest of the grammar they were made
from.  After a change to the grammar they are made anew at each start until
``python -m pymoo.lang.grammar`` has written the file.

What the tokens mean is the lexer's to know, what a rule builds the parser's.
"""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from attrs import field, frozen

if TYPE_CHECKING:
    from lark import Lark

SOURCE: Final = Path(__file__).parents[1] / "grammar.lark"
TABLES: Final = Path(__file__).with_name("grammar.json")

START: Final = "program"
END: Final = "$END"

# Tokens that are more than their name; a rule gets the text of these.
VALUES: Final = frozenset({"NAME", "INTEGER", "FLOAT", "STRING", "OBJECT", "ERROR"})

# A keyword is a token of one word, and its name is that word.
_KEYWORD: Final = re.compile(r"\(\?ai:([a-z]+)\\b\)")

# Behind a complete rule of these names, these tokens are errors: yacc's
# %nonassoc, which LALR tables without precedences do not know.
_NOT_ASSOCIATIVE: Final = {"conditional": "?"}

# The C server limits the nesting of a program by the height of its parser's
# stack.  These are the symbols of its grammar (parser.y) that one of ours stands
# for, where it is not one; the marker that begins a scope is among them.
_HEIGHTS: Final = {
    "for_list_head": 7,
    "for_range_head": 9,
    "while_head": 5,
    "named_while_head": 6,
    "fork_head": 5,
    "named_fork_head": 6,
    "next_except_head": 3,
    "index_head": 3,
}

# Targets of a shift that are no state.
ACCEPT: Final = -1
REFUSE: Final = -2


@frozen
class Rule:
    """One alternative of a rule of the grammar.

    ``action`` names what to do when it is complete; "" passes its one operand
    on.  ``length`` symbols are taken from the stack, of which those at
    ``operands``, counted from the top (-1), are handed over.  ``growth`` is how
    much higher the C server's stack is afterwards.
    """

    action: str
    symbol: int
    length: int
    operands: tuple[int, ...]
    growth: int


@frozen(eq=False)
class Grammar:
    """The tokens and the automaton.  State 0 is the first.

    Terminals and nonterminals are numbered, each from 0.  For each state,
    ``shifts`` maps terminals to states, `ACCEPT` or `REFUSE`, ``gotos``
    nonterminals to states, and ``reductions`` has the number of the rule to
    reduce by on any other token, or None if it would be an error.
    """

    terminals: dict[str, int]
    patterns: dict[str, str]  # tokens with a value, and what is ignored
    punctuation: dict[str, int]  # terminals by their text
    keywords: dict[str, int]  # terminals by their text, in lower case
    rules: tuple[Rule, ...]
    shifts: tuple[dict[int, int], ...] = field(repr=False)
    gotos: tuple[dict[int, int], ...] = field(repr=False)
    reductions: tuple[int | None, ...] = field(repr=False)


@cache
def grammar() -> Grammar:
    """Return the grammar of MOO, ready to use.

    Cost: about 3 ms; a tenth of a second if the shipped tables are not those of
    the grammar that lies beside them.
    """
    source = SOURCE.read_text("ascii")
    try:
        tables = json.loads(TABLES.read_bytes())
    except FileNotFoundError:
        tables = {}
    if tables.get("digest") != _digest(source):
        tables = make_tables(source)
    return _from_tables(tables)


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()


def _from_tables(tables: dict[str, Any]) -> Grammar:
    terminals = {name: number for number, name in enumerate(tables["terminals"])}
    return Grammar(
        terminals=terminals,
        patterns=tables["patterns"],
        punctuation={
            text: terminals[name] for text, name in tables["punctuation"].items()
        },
        keywords={text: terminals[name] for text, name in tables["keywords"].items()},
        rules=tuple(
            Rule(action, symbol, length, tuple(operands), growth)
            for action, symbol, length, operands, growth in tables["rules"]
        ),
        shifts=tuple(dict(moves) for moves, _, _ in tables["states"]),
        gotos=tuple(dict(moves) for _, moves, _ in tables["states"]),
        reductions=tuple(rule for _, _, rule in tables["states"]),
    )


# --- making the tables ----------------------------------------------------


def make_tables(source: str) -> dict[str, Any]:
    """Return what ``grammar.json`` holds for a grammar: plain lists and dicts.

    The same source gives the same tables, numbering included.
    """
    from lark import Lark
    from lark.lexer import PatternStr

    made = Lark(source, parser="lalr", start=START)
    patterns, punctuation, keywords = {}, {}, {}
    for terminal in made.terminals:
        if isinstance(terminal.pattern, PatternStr):
            punctuation[terminal.pattern.value] = terminal.name
        elif keyword := _KEYWORD.fullmatch(terminal.pattern.value):
            keywords[keyword[1]] = terminal.name
        else:
            patterns[terminal.name] = terminal.pattern.value
    terminals = [END, *sorted((*VALUES, *punctuation.values(), *keywords.values()))]
    return {
        "digest": _digest(source),
        "terminals": terminals,
        "patterns": patterns,
        "punctuation": punctuation,
        "keywords": keywords,
        **_automaton(made, terminals, punctuation),
    }


def _automaton(
    made: Lark, terminals: list[str], punctuation: dict[str, str]
) -> dict[str, Any]:
    from lark.parsers.lalr_analysis import Shift

    nonterminals = sorted({rule.origin.name for rule in made.rules})
    symbols = {name: number for number, name in enumerate(nonterminals)}
    tokens = {name: number for number, name in enumerate(terminals)}
    rules = {rule: number for number, rule in enumerate(made.rules)}
    refused = {
        number: tokens[punctuation[_NOT_ASSOCIATIVE[rule.alias]]]
        for rule, number in rules.items()
        if rule.alias in _NOT_ASSOCIATIVE
    }

    # Lark numbers its states by chance; here they are numbered as they are
    # first reached, so that the same grammar gives the same file.
    table = made.parse_interactive("").parser_state.parse_conf.parse_table
    first, last = table.start_states[START], table.end_states[START]
    numbers = {first: 0}
    order = [first]
    states = []
    for state in order:
        shifts, gotos, reductions = [], [], set()
        for name, (kind, target) in sorted(
            table.states[state].items(), key=lambda move: move[0]
        ):
            if kind is not Shift:
                reductions.add(rules[target])
                continue
            if target not in numbers:
                numbers[target] = len(order)
                order.append(target)
            if name in tokens:
                shifts.append((tokens[name], numbers[target]))
            else:
                gotos.append((symbols[name], numbers[target]))
        if state == last:
            shifts.append((tokens[END], ACCEPT))
        # More than one would need the look-ahead sets as well.
        assert len(reductions) <= 1, "the grammar needs more than one token to decide"
        reduction = min(reductions, default=None)
        if reduction in refused:
            shifts.append((refused[reduction], REFUSE))
        states.append((shifts, gotos, reduction))
    return {"rules": [_rule(rule, symbols) for rule in rules], "states": states}


def _rule(rule: Any, symbols: dict[str, int]) -> tuple[object, ...]:
    length = len(rule.expansion)
    operands = [
        position - length
        for position, symbol in enumerate(rule.expansion)
        if not symbol.is_term or symbol.name in VALUES
    ]
    passes_on = rule.options.expand1 and not rule.alias and len(operands) == 1
    height = _HEIGHTS.get(rule.origin.name, 1)
    for symbol in rule.expansion:
        height -= _HEIGHTS.get(symbol.name, 1)
    return (
        "" if passes_on else rule.alias or rule.origin.name,
        symbols[rule.origin.name],
        length,
        operands,
        height,
    )


def tables_text(tables: dict[str, Any]) -> str:
    """Return the text of ``grammar.json``: one rule or state a line."""
    parts = []
    for key, value in tables.items():
        if key in ("rules", "states"):
            rows = ",\n  ".join(json.dumps(row) for row in value)
            text = f"[\n  {rows}\n ]"
        else:
            text = json.dumps(value)
        parts.append(f' "{key}": {text}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    TABLES.write_text(tables_text(make_tables(SOURCE.read_text("ascii"))), "ascii")
