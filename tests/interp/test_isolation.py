"""No text of a MOO program becomes anything but what it says: Python stays outside."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import sys
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pymoo.interp import codegen, runtime
from pymoo.interp.emitter import Unsupported
from pymoo.interp.linker import Linker, Template, _with_constants, python_code
from pymoo.interp.tiering import SWITCH
from pymoo.lang import nodes as n
from pymoo.lang.names import KEYWORD_VERSIONS
from pymoo.values import E_PERM, ErrorCode, Obj, literal
from tests.fakes import Bench
from tests.fuzz.values import same, value_fault
from tests.interp.generated_code import (
    FUNCTION_NAMES,
    GLOBALS,
    assert_compiled,
    assert_harmless,
)
from tests.program_strategies import MIXES, program_text, program_world

MOO_WORDS = frozenset(
    """
    if else elseif endif for in endfor fork endfork return while endwhile try except
    finally endtry any break continue
    """.split()
)

# What means something in Python, in generated code, or in the places around it.
HOSTILE_NAMES = sorted(
    {
        *keyword.kwlist,
        *keyword.softkwlist,
        *dir(builtins),
        *GLOBALS,
        *"vm act S V base t go_on error CODE self cls k1 k2 t1 e1 c1 x1 v_x".split(),
        *"v_args __class__ __dict__ __globals__ __builtins__ __import__".split(),
        *"_ __ ___ _x o0 O0 l1 I1 args this verb player caller".split(),
        "x" * 300,
    }
)
NAMES = [
    name
    for name in HOSTILE_NAMES
    if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", name)
    and name.lower() not in MOO_WORDS
    and not name.upper().startswith("E_")
]
identifiers = st.sampled_from(NAMES) | st.from_regex(
    r"[A-Za-z_][A-Za-z0-9_]{0,6}", fullmatch=True
).filter(lambda name: name.lower() not in MOO_WORDS and name[:2].upper() != "E_")

HOSTILE_TEXTS = [
    "'", '"', '"""', "'''", "\\", "\\'", "\\\\'", "'); import os #", '"); import os #',
    "k1", "CODE", "{0}", "%s", "{a}", "__import__('os').system('x')", "#", "# k3",
    "' + k1 + '", "f'{k1}'", "\t", "\x7f", "\x80", "\xff", "caf\xe9", "\xad", "\x85",
    "\x0b\x0c\x1c", "\x01", "lambda: 0", "x\\", "\\x41", "\\N{DEGREE SIGN}", "1j",
    "k1j",
    "a'b\"c", "\\u0041", "''' + open('x').read() + '''",
]  # fmt: skip
texts = st.sampled_from(HOSTILE_TEXTS) | st.text(
    st.characters(min_codepoint=1, max_codepoint=255, exclude_characters="\n\r"),
    max_size=12,
)


def functions_of(bench: Bench, code: str) -> list[Any]:
    """Compile a program and its loops; return what was generated, all of it looked at.

    None in the place of what stays with the walker.
    """
    program = bench.engine.compile(code + "\n")
    loops = [
        node
        for node in program.nodes
        if isinstance(node, n.While | n.ForList | n.ForRange)
    ]
    found: list[Any] = []
    for loop in (None, *loops):
        try:
            generated = bench.engine.tiering._generate(program, loop)
        except Unsupported:
            found.append(None)
            continue
        assert_harmless(generated.source, program)
        assert_compiled(Template.of(generated).code)
        found.append(generated)
    return found


@pytest.fixture(scope="module")
def compiling() -> Bench:
    return Bench(program_world(), "pymoo")


@pytest.fixture
def both(monkeypatch: pytest.MonkeyPatch) -> dict[str, Bench]:
    """A world for each tier."""
    benches = {}
    for tier in ("walker", "compiled"):
        monkeypatch.setenv(SWITCH, tier)
        benches[tier] = Bench(program_world())
    return benches


# --- names ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_a_variable_may_have_any_name(name: str, both: dict[str, Bench]) -> None:
    code = (
        f"{name} = 5; for {name} in ({{1, 2}}) x_ = {name}; endfor"
        f" {{{name}, ?y_ = 3}} = {{{name} + 1}}; try {name} = {name} / 0;"
        f" except {name} (E_DIV) {name} = {name}[1]; endtry"
        f" while {name} ({name} == E_DIV) {name} = 7; endwhile"
        f" return {{{name}, x_, y_}};"
    )
    for bench in both.values():
        assert bench.errors(code + "\n") == []
        assert bench.run(code).literal == "{0, 2, 3}"
        assert None not in functions_of(bench, code)


def test_the_hostile_names_are_there() -> None:
    assert {"import", "lambda", "eval", "__import__", "left", "CODE", "k1"} <= {*NAMES}
    assert len(NAMES) > 400


@given(st.lists(identifiers, min_size=1, max_size=4), st.lists(texts, max_size=3))
@example(["k1", "CODE"], ["k1", "CODE"])
def test_no_name_and_no_text_gets_out_of_its_place(
    compiling: Bench, names: list[str], strings: list[str]
) -> None:
    first, last = names[0], names[-1]
    values = ", ".join(_moo_text(text) for text in strings)
    computed = _moo_text(strings[0]) if strings else '"x"'
    code = f"""
    {first} = {{{values}}};
    {last} = #5.{first} || #5.({computed}) || ${last};
    {last} = #5:{first}(@args) + this:({computed})(#7, E_PERM, 1.5, -2);
    for {first} in ({{{values}}})
      {last} = {first} == {computed} || {first} in {{{values}}};
      `{last}[1] = {computed} ! E_RANGE, E_TYPE => {computed}';
    endfor
    fork {last} (0)
      {first} = raise({computed}, {computed}, {computed});
    endfork
    #8.{last} = #8.({computed}) = {first};
    return {{{last}, {first}, typeof({first}) == STR, {first} ? #12 | E_NONE}};
    """
    if not compiling.errors(code + "\n"):
        functions_of(compiling, code)


def _moo_text(text: str) -> str:
    # In a program that is not from a file, byte 255 ends a string.
    return literal(text.replace("\xff", "\xfe"))


@pytest.mark.parametrize("text", HOSTILE_TEXTS)
def test_a_text_is_the_same_in_both_tiers(text: str, both: dict[str, Bench]) -> None:
    quoted = _moo_text(text)
    code = (
        f"x = {{}}; for i in [1..2] x = {{@x, {quoted}, {quoted} + {quoted}, #5,"
        f' {{E_PERM, {quoted}}}, `#5.({quoted}) ! ANY => {quoted}\', "" == {quoted}}};'
        " endfor return x;"
    )
    text = text.replace("\xff", "\xfe")
    each = text, text + text, Obj(5), (E_PERM, text), text, 0
    for bench in both.values():
        assert same(bench.run(code).value, each * 2)
    assert None not in functions_of(both["compiled"], code)


@pytest.mark.parametrize(
    "name", [*HOSTILE_TEXTS, "__class__", "__init__", "import", "k1"]
)
def test_verbs_properties_and_objects_may_be_called_anything(
    name: str, both: dict[str, Bench]
) -> None:
    quoted = _moo_text(name.replace("*", "").replace(" ", ""))
    code = (
        f"o = create(#1); o.name = {quoted};"
        f' p = `add_property(o, {quoted}, {quoted}, {{#3, "rw"}}) ! ANY\';'
        f' v = `add_verb(o, {{#3, "rxd", {quoted}}},'
        ' {"this", "none", "this"}) ! ANY\';'
        f' c = `set_verb_code(o, {quoted}, {{"return {{args, verb}};"}}) ! ANY\';'
        " r = {o.name, p, v, c, properties(o), verbs(o)};"
        f" for i in [1..3] r = {{@r, `o.({quoted}) ! ANY', `o:({quoted})(i) ! ANY',"
        f" `raise({quoted}, {quoted}) ! ANY'}}; endfor"
        f" try raise(E_PERM, {quoted}, {quoted}); except e (ANY) r = {{@r, e}}; endtry"
        " return r;"
    )
    answers = {tier: bench.run(code).literal for tier, bench in both.items()}
    assert answers["walker"] == answers["compiled"]


# --- programs ------------------------------------------------------------------------


@pytest.mark.parametrize("mix", MIXES)
def test_random_programs_become_nothing_else(mix: str, compiling: Bench) -> None:
    count = 0
    for seed in range(60):
        text = program_text(str(seed), mix)
        if not compiling.errors(text + "\n"):
            count += sum(each is not None for each in functions_of(compiling, text))
    assert count > 40


def test_what_should_not_be_in_generated_text_is_found(compiling: Bench) -> None:
    program = compiling.engine.compile("x = 1; return x;\n")
    head = "def verb(vm, act, v_args):\n    "
    for line in (
        "import os",
        "open('x')",
        "v_y = 1",
        "act.__class__",
        "k1 = 2",
        "vm.engine",
        "x = 'text'",
        "call_function(act, 'x', ())",
        "f'{v_x}'",
        "lambda: 0",
        "[v_x for v_x in S]",
        "global t",
        "eval(act)",
        "type(name=1)",
    ):
        with pytest.raises(AssertionError):
            assert_harmless(head + line, program)
    assert_harmless(head + "v_x = 1", program)


# --- the namespace --------------------------------------------------------------------


def test_generated_code_has_nothing_of_python_but_what_it_uses(
    compiling: Bench,
) -> None:
    linker: Linker = compiling.engine.tiering._linker
    namespace = {name for name in linker._namespace if not name.startswith("__")}
    assert namespace <= GLOBALS
    assert GLOBALS - namespace <= FUNCTION_NAMES
    assert [*vars(linker._namespace["__builtins__"])] == [
        *vars(type(linker._namespace["__builtins__"])("nothing"))
    ]
    python = {name for name in namespace if hasattr(builtins, name)}
    assert python == set("float int iter len locals max range str tuple type".split())
    assert runtime._STACK_NAMES["__builtins__"] == {}


@pytest.mark.skipif(
    sys.implementation.name == "pypy",
    reason="PyPy gives all code Python's built-in names, whatever its namespace says",
)
def test_no_import_works_in_the_namespace_of_generated_code(compiling: Bench) -> None:
    linker: Linker = compiling.engine.tiering._linker
    for text in ("import os", "open('x')", "eval('1')", "__import__('os')"):
        with pytest.raises((ImportError, NameError)):
            exec(compile(text, "moo", "exec"), dict(linker._namespace))


def test_what_python_names_the_writers_of_code_use_is_in_the_namespace() -> None:
    """A text that is written seldom must not be the first to miss a name."""
    words: set[str] = set()
    for path in Path(codegen.__file__).parent.glob("*.py"):
        if path.name.startswith(("codegen", "inline")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    words |= _called(node)
                elif isinstance(node, ast.Constant) and type(node.value) is str:
                    words |= {*re.findall(r"\b([a-z_]+)\(", node.value)}
    python = {word for word in words if hasattr(builtins, word)}
    assert python - {"object"} <= GLOBALS
    assert {"max", "locals", "range"} <= python


def _called(text: ast.JoinedStr) -> set[str]:
    parts = [
        part.value if isinstance(part, ast.Constant) else "0" for part in text.values
    ]
    return {*re.findall(r"\b([a-z_]+)\(", "".join(map(str, parts)))}


# --- what programs see ----------------------------------------------------------------


def test_values_are_of_the_types_of_moo_and_no_others() -> None:
    assert value_fault((1, -1.5, "x", Obj(3), ErrorCode(1), ((),))) is None
    for foreign in (
        True,
        None,
        [1],
        {},
        b"x",
        object(),
        len,
        2**31,
        float("inf"),
        "\n",
    ):
        assert value_fault((1, (foreign,))) is not None


def test_no_function_of_moo_gives_a_program_anything_of_python() -> None:
    """Whatever each is given: see the target `builtins` of the fuzzers."""
    from tests.fuzz.builtins import sample

    seen = sample(6)
    assert {
        name.removeprefix("f_") for name in FUNCTION_NAMES if name[0] == "f"
    } <= seen


def test_words_of_the_language_are_those_that_no_variable_may_have() -> None:
    words = {word for word in KEYWORD_VERSIONS if not word.startswith("e_")}
    assert words <= MOO_WORDS


def test_constants_in_code_are_those_of_the_program(compiling: Bench) -> None:
    """Strings that look like names of constants stay strings."""
    code = 'x = {"k1", "k2", "CODE", #5, "0j", E_PERM}; return {x, "k1" + "CODE"};'
    (generated,) = functions_of(compiling, code)
    found: CodeType = Template.of(generated).code
    strings = {each for each in found.co_consts if type(each) is str}
    assert {"k1", "CODE"} <= strings | {
        each for part in found.co_consts if type(part) is tuple for each in part
    }


def test_what_python_computes_of_constants_is_none_of_them() -> None:
    """In a branch that is never taken: the text of each has a guard."""
    code = python_code(
        "def verb(x):\n"
        "    if x: return -8 * k1, k1 + k2, k3 - k1, -k2, k1 * k1, -(k2 * 2), k2 + 1\n"
        "    return k3, (k1, CODE), k2\n"
    )
    constants = ["code", "one", "two", "three"]
    function = FunctionType(_with_constants(code, constants), {})
    assert function(0) == ("three", ("one", "code"), "two")
    assert not set(constants) & set(function(1))


# --- what is within reach -------------------------------------------------------------

PACKAGE = Path(codegen.__file__).parents[1]

OUTSIDE = frozenset(
    """
    asyncio builtins cffi code ctypes fcntl ftplib glob http importlib inspect io
    linecache marshal mmap multiprocessing os pathlib pickle pkgutil platform posix pty
    pwd resource runpy shelve shutil signal site smtplib socket socketserver sqlite3
    ssl subprocess sys tempfile threading urllib webbrowser zipimport
    """.split()
)
"""Modules that reach files, sockets, processes, the environment or Python itself."""

# What each of these needs of them, and when: nothing of it is a program's to choose.
ALLOWED = {
    "interp/code_cache.py": {"fcntl", "importlib", "marshal", "os", "pathlib"},
    "interp/linker.py": {"linecache"},  # texts for Python's tracebacks
    "interp/tiering.py": {"os", "pathlib", "sys"},  # a switch for tests, read once
    "tasks/stress.py": {"io", "os"},  # the same
    "tasks/handing.py": {"io"},  # bytes in memory
    "interp/ops.py": {"sys"},  # the largest number
    "interp/patterns/charset.py": {"sys"},  # the highest character
    "interp/patterns/regex.py": {"sys"},  # the same
    "lang/grammar.py": {"pathlib"},  # finds the grammar beside it
}


def test_what_runs_moo_code_imports_nothing_that_reaches_outside() -> None:
    seen: dict[str, set[str]] = {}
    for folder in ("builtins", "interp", "lang", "tasks"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            found = _imported(path) & OUTSIDE
            if found:
                seen[path.relative_to(PACKAGE).as_posix()] = found
    assert {
        path: found for path, found in seen.items() if found - ALLOWED.get(path, set())
    } == {}


def test_python_evaluates_nothing_but_what_was_generated() -> None:
    """`eval` and the like are called where generated text is, and only there."""
    seen = set()
    for folder in ("builtins", "interp", "lang", "tasks", "db", "server", "api"):
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Name)
                    and node.func.id
                    in ("eval", "exec", "compile", "__import__", "open")
                ):
                    seen.add((path.relative_to(PACKAGE).as_posix(), node.func.id))
    assert {each for each in seen if each[1] != "open"} == {
        ("interp/linker.py", "compile"),
        ("interp/runtime.py", "compile"),
        ("interp/runtime.py", "eval"),
    }
    assert not {
        path
        for path, name in seen
        if name == "open" and path.startswith(("builtins", "interp", "lang", "tasks"))
    }


def _imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module.partition(".")[0])
    return names
