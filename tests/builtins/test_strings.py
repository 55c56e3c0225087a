"""Strings: text, search, comparison, binary strings, hashes, patterns, crypt."""

from __future__ import annotations

from random import Random

import pytest

import pymoo.values as values_module
from pymoo.builtins import strings
from pymoo.values import literal
from tests.builtins.asking import Asker


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "tostr()": '""',
        'tostr(1, 2.0, "x", #3, E_DIV, {1})': '"12.0x#3Division by zero{list}"',
        "toliteral({1, 2.0, #3, E_PERM, {}})": '"{1, 2.0, #3, E_PERM, {}}"',
        'toliteral("a\\"b\\\\c")': '"\\"a\\\\\\"b\\\\\\\\c\\""',
        "toliteral()": "! E_ARGS",
        "toliteral(1, 2)": "! E_ARGS",
    }.items(),
)
def test_tostr_shows_texts_and_toliteral_shows_code(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'index("foobar", "O")': "2",
        'index("foobar", "O", 1)': "0",
        'rindex("foobar", "o")': "3",
        'index("abc", "")': "1",
        'rindex("abc", "")': "4",
        'index("", "")': "1",
        'index("", "a")': "0",
        "index(1, 2)": "! E_TYPE",
        'index("a")': "! E_ARGS",
        'strcmp("a", "a")': "0",
        'strcmp("a", "B") > 0': "1",
        'strcmp("A", "a") < 0': "1",
        'strcmp("", "a") < 0': "1",
        '"_" < "a"': "1",
        '"[" < "a"': "1",
        '"Z" < "["': "0",
        '"a" < "B"': "1",
        "E_NONE < E_TYPE": "1",
        "{} < {1}": "! E_TYPE",
        '1 < "a"': "! E_TYPE",
        "#1 < #2": "1",
    }.items(),
)
def test_search_and_order(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        '$odd[4] < "caf"': "1",
        '$odd[4] <= "caf"': "1",
        '$odd[4] > "cae"': "1",
        '$odd[4] < "cafa"': "1",
        '"" > $odd[5]': "1",
        "$odd[5] > $odd[5][2]": "1",
        "$odd[5] >= $odd[5]": "1",
        '$odd[6] < "abc"': "1",
        'strcmp($odd[4], "cafz") > 0': "1",
    }.items(),
)
def test_bytes_beyond_ascii_come_before_everything_but_for_strcmp(
    ask: Asker, expression: str, value: str
) -> None:
    """Even before the end of a string: C's characters have a sign."""
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'strsub("foobar", "O", "00")': '"f0000bar"',
        'strsub("foobar", "O", "00", 1)': '"foobar"',
        'strsub("aaa", "aa", "a")': '"aa"',
        'strsub("abc", "b", "")': '"ac"',
        'strsub("abc", "", "x")': "! E_INVARG",
        'strsub("", "", "")': "! E_INVARG",
        'strsub("abc", "abc", "abcabc")': '"abcabc"',
        'strsub("abc", "b")': "! E_ARGS",
        'strsub("abc", 1, "x")': "! E_TYPE",
    }.items(),
)
def test_strsub_goes_from_left_to_right_and_does_not_look_again(
    ask: Asker, expression: str, value: str
) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "encode_binary(10, 13, 9)": '"~0A~0D~09"',
        'encode_binary("a~b", {65, {"B"}}, 255)': '"a~7EbAB~FF"',
        "encode_binary()": '""',
        "encode_binary(256)": "! E_INVARG",
        "encode_binary(-1)": "! E_INVARG",
        "encode_binary(1.0)": "! E_INVARG",
        "encode_binary(#1)": "! E_INVARG",
        'decode_binary("a~0A~0db~7e")': '{"a", 10, 13, "b~"}',
        'decode_binary("a~09b")': '{"a\tb"}',
        'decode_binary("ab", 1)': "{97, 98}",
        'decode_binary("~ff~FE")': "{255, 254}",
        'decode_binary("")': "{}",
        'decode_binary("~")': "! E_INVARG",
        'decode_binary("~4")': "! E_INVARG",
        'decode_binary("~4G")': "! E_INVARG",
    }.items(),
)
def test_binary_strings(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


def test_every_byte_survives_encoding(ask: Asker) -> None:
    program = (
        "b = {}; for i in [0..255] b = {@b, i}; endfor"
        " return decode_binary(encode_binary(@b), 1) == b;"
    )
    assert ask.run(program) == "1"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'string_hash("abc")': '"900150983CD24FB0D6963F7D28E17F72"',
        'binary_hash("~61bc")': '"900150983CD24FB0D6963F7D28E17F72"',
        'binary_hash("~")': "! E_INVARG",
        'value_hash("abc") == string_hash(toliteral("abc"))': "1",
        "value_hash({1, {2.0}}) == string_hash(toliteral({1, {2.0}}))": "1",
        "string_hash(1)": "! E_TYPE",
        'crypt("secret", "ab")': '"abNANd1rDfiNc"',
        'crypt("secret", "abcdef")': '"abNANd1rDfiNc"',
        'length(crypt("secret"))': "13",
        'length(crypt("secret", "x"))': "13",
        "crypt(1)": "! E_TYPE",
    }.items(),
)
def test_hashes(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


_NONE = ", ".join(["{0, -1}"] * 9)


def _found(start: int, end: int, subject: str, *parts: str) -> str:
    pairs = ", ".join([*parts, *["{0, -1}"] * (9 - len(parts))])
    return f'{{{start}, {end}, {{{pairs}}}, "{subject}"}}'


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'match("foobar", "o*$")': _found(7, 6, "foobar"),
        'match("foobar", "foo%|foobar")': _found(1, 3, "foobar"),
        'match("foobar", "%(foo%|foobar%)$")': _found(1, 6, "foobar", "{1, 6}"),
        'match("foobar", "x")': "{}",
        'match("FOOBAR", "o+")': _found(2, 3, "FOOBAR"),
        'match("FOOBAR", "o+", 1)': "{}",
        'match("a_b", "%w+")': _found(1, 1, "a_b"),
        'match("a_b", "%<b")': _found(3, 3, "a_b"),
        'match("b%", "[%w]")': _found(2, 2, "b%"),
        'match("b", "[b-a]")': _found(1, 1, "b"),
        'match("abcABC", "%(abc%)%1")': _found(1, 6, "abcABC", "{1, 3}"),
        'match("", "")': _found(1, 0, ""),
        'match("a", "a%|")': _found(1, 1, "a"),
        'rmatch("foobar", "o*")': _found(7, 6, "foobar"),
        'rmatch("foobar", "o+")': _found(3, 3, "foobar"),
        'match("a", "%")': "! E_INVARG",
        'match("a", "[")': "! E_INVARG",
        'match("a", "%(")': "! E_INVARG",
        'match("a", "*")': "! E_INVARG",
        'match("a", "+a")': "! E_INVARG",
        'match("a", "a^b")': "! E_INVARG",
        'match("a", "a$b")': "! E_INVARG",
        'match("a", "x%|^a")': _found(1, 1, "a"),
        'match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "%(a*%)*b")': "! E_QUOTA",
        'match("aaa", "a**")': "! E_QUOTA",
        "match(1, 2)": "! E_TYPE",
        'match("a")': "! E_ARGS",
    }.items(),
)
def test_patterns(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    ("template", "value"),
    {
        "%0": '"oob"',
        "<%1-%2>": '"<oo-b>"',
        "%9": '""',
        "%%": '"%"',
        "": '""',
        "%": "! E_INVARG",
        "%x": "! E_INVARG",
    }.items(),
)
def test_substitute(ask: Asker, template: str, value: str) -> None:
    matched = 'match("foobar", "%(o+%)%(b%)")'
    assert ask(f'substitute("{template}", {matched})') == value


@pytest.mark.parametrize(
    "match",
    [
        "{}",
        "{1, 2}",
        f'{{1, 4, {{{_NONE}}}, "foo"}}',
        f'{{0, 2, {{{_NONE}}}, "foo"}}',
        '{1, 2, {}, "foo"}',
        f"{{1, 2, {{{_NONE}}}, 5}}",
        '{1, 2, {1, 2, 3, 4, 5, 6, 7, 8, 9}, "foo"}',
    ],
)
def test_substitute_checks_what_match_is_said_to_have_given(
    ask: Asker, match: str
) -> None:
    assert ask(f'substitute("no reference", {match})') == "! E_INVARG"


LIMITED = (
    'add_property(#4, "max_string_concat", 1100, {#3, ""});'
    ' add_property(#4, "max_list_concat", 1100, {#3, ""});'
    ' add_property(#4, "max_concat_catchable", CATCHABLE, {#3, ""});'
    ' load_server_options(); s = "x"; for i in [1..10] s = s + s; endfor'
    " l = {1}; for i in [1..10] l = {@l, @l}; endfor return length(EXPRESSION);"
)


@pytest.mark.parametrize(
    "expression",
    [
        "s + s",
        "tostr(s, s)",
        'strsub(s, "x", "yy")',
        "toliteral({s, s})",
        "encode_binary(s, s)",
        'substitute("%0%0", match(s, "x*"))',
        "{@l, @l}",
        "value_hash({s, s})",
    ],
)
def test_what_grows_beyond_the_limits_ends_the_task_or_raises(
    ask: Asker, expression: str
) -> None:
    program = LIMITED.replace("EXPRESSION", expression)
    assert ask.run(program.replace("CATCHABLE", "1")) == "! E_QUOTA"
    program = program.replace("CATCHABLE", "0")
    program = program.replace("add_property(#4,", "`add_property(#4,")
    program = program.replace('{#3, ""});', '{#3, ""}) ! ANY\';')
    program = "#4.max_concat_catchable = 0; " + program
    assert ask.run(program) == "! Task ran out of seconds"


def test_limits_below_the_least_are_raised_to_it(ask: Asker) -> None:
    program = (
        'add_property(#4, "max_string_concat", 5, {#3, ""});'
        ' add_property(#4, "max_concat_catchable", 1, {#3, ""});'
        ' load_server_options(); s = ""; try while (1) s = s + "x"; endwhile'
        " except (E_QUOTA) return length(s); endtry"
    )
    assert ask.run(program) == "1015"


def test_long_texts_are_handled_piece_by_piece_as_short_ones_are_at_once(
    ask: Asker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pieces are made tiny, so that everything happens at their edges."""
    generator = Random(7)

    def text(alphabet: str, most: int) -> str:
        return "".join(generator.choices(alphabet, k=generator.randrange(most)))

    programs = []
    for _ in range(60):
        alphabet = generator.choice(["ab", "aAbB", "a~0A", 'aB\xe9\xc9"\\'])
        s, t, w = text(alphabet, 40), text(alphabet, 40), text(alphabet, 6)
        values = literal((s, s[: generator.randrange(41)] + t, w, text(alphabet, 4)))
        programs.append(
            f"{{s, t, w, r}} = {values}; c = {generator.randrange(2)};"
            " return {index(s, w, c), rindex(s, w, c), strcmp(s, t), s == t, s < t,"
            " `strsub(s, w, r, c) ! ANY', `decode_binary(s, c) ! ANY', equal(s, t),"
            " encode_binary(s), `binary_hash(s) ! ANY', string_hash(s), toliteral(s),"
            " toliteral({s, {t}}), s in {t, 1, s}, is_member(s, {t, s}),"
            " tostr(s, t, w, 1, 2, 3, 4, 5, 6, 7), value_hash({s, t}), {s} == {t}};"
        )
    plain = [ask.run(program) for program in programs]
    for size in (4, 7):
        for module in (strings, values_module):
            monkeypatch.setattr(module, "SHORT", size)
            monkeypatch.setattr(module, "PIECE", size)
        assert [ask.run(program) for program in programs] == plain
