"""Tasks: errors, calls, permissions, what is known of queues."""

from __future__ import annotations

import pytest

from tests.builtins.asking import PAT, QUINN, Asker

# --- raise(), call_function(), pass() -------------------------------------


@pytest.mark.parametrize(
    ("arguments", "seen"),
    {
        "E_PERM": '{E_PERM, "Permission denied", 0}',
        'E_PERM, "no"': '{E_PERM, "no", 0}',
        'E_PERM, "no", {1}': '{E_PERM, "no", {1}}',
        '"text"': '{"text", "text", 0}',
        "#3": '{#3, "#3", 0}',
        "1.5": '{1.5, "1.5", 0}',
        "{1}": '{{1}, "{list}", 0}',
        "5": '{5, "5", 0}',
    }.items(),
)
def test_raise_takes_any_code(ask: Asker, arguments: str, seen: str) -> None:
    program = f"try raise({arguments}); except e (ANY) return e[1..3]; endtry"
    assert ask.run(program) == seen


def test_raise_checks_its_message(ask: Asker) -> None:
    assert ask("raise(E_PERM, 5)") == "! E_TYPE"
    assert ask("raise()") == "! E_ARGS"
    assert ask('raise(E_NONE, "a", 1, 2)') == "! E_ARGS"


def test_a_code_is_looked_for_as_in_a_list(ask: Asker) -> None:
    assert ask('`raise("Abc") ! "aBC" => 1\'') == "1"
    assert ask('`raise({1, "a"}) ! {1, "A"} => 1\'') == "1"
    assert ask("`raise(1) ! 1.0, #1, 1 => 2'") == "2"
    assert ask("`1 / 0 ! E_TYPE, {E_DIV} => 2'") == "! E_DIV"
    assert ask("`1 / 0 ! @{} => 1'") == "! E_DIV"


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'call_function("LENGTH", {1})': "1",
        'call_function("length")': "! E_ARGS",
        'call_function("nosuch", 1)': "! E_INVARG Unknown built-in function",
        "call_function(5)": "! E_TYPE",
        'call_function("call_function", "length", "abc")': "3",
        'call_function("eval", "return 7;")': "{1, 7}",
        'valid(call_function("create", #15))': "1",
        'call_function("raise", E_DIV)': "! E_DIV",
        'function_info("LISTAPPEND")': '{"listappend", 2, 3, {4, -1, 0}}',
        'function_info("tostr")': '{"tostr", 0, -1, {}}',
        'function_info("max")': '{"max", 1, -1, {-2}}',
        'function_info("nosuch")': "! E_INVARG",
        "length(function_info())": "128",
    }.items(),
)
def test_functions_by_name(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


def test_pass_calls_the_same_name_above_the_definer(ask: Asker) -> None:
    assert ask("#9:echo(1)") == '{"child", 1}'
    assert ask("#9:boom(0)") == "! E_RANGE"
    assert ask("#10:echo(1)") == '{"grandchild", {"child", 1}}'
    assert ask("#9:nopass(1)") == "! E_VERBNF"
    assert ask("pass(1)") == "! E_INVIND"


# --- permissions and callers ----------------------------------------------


def test_set_task_perms_is_for_wizards_and_oneself(ask: Asker) -> None:
    assert ask("set_task_perms(#6)", PAT) == "! E_PERM"
    assert ask("set_task_perms(#5)", PAT) == "0"
    program = (
        "set_task_perms(#5); return {`set_task_perms(#3) ! ANY', #8:patverb()[1]};"
    )
    assert ask.run(program) == "{E_PERM, #5}"


def test_caller_perms_is_the_programmer_below(ask: Asker) -> None:
    assert ask("#8:patverb()[1]") == "#3"
    assert ask("#8:patverb()[1]", PAT) == "#5"
    assert ask("#8:perms(#5)") == "! E_PERM"
    assert ask("#8:perms(#3)") == '{#3, "shh"}'
    assert ask.run("set_task_perms(#5); return #8:patverb()[1];") == "#5"


def test_a_verb_has_the_permissions_of_its_owner(ask: Asker) -> None:
    assert ask("#8:patverb()[2..4]") == "{E_PERM, {}, E_PERM}"
    assert ask("#9:patverb()[2..4]") == '{E_PERM, {}, "mine"}'


def test_callers_tells_of_frames_and_of_builtins_between(ask: Asker) -> None:
    program = 'r = #8:apply("ctx"); return r[13][1..1];'
    assert ask.run(program) == '{{#8, "apply", #6, #8, #3, 2}}'
    program = 'r = eval("return callers(1);")[2]; return r[1][1..4];'
    assert ask.run(program) == '{#-1, "eval", #-1, #-1}'


# --- tasks ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        "suspend(-1)": "! E_INVARG",
        'suspend("x")': "! E_TYPE",
        "suspend(0, 0)": "! E_ARGS",
        "kill_task(0)": "! E_INVARG",
        "kill_task(1.0)": "! E_TYPE",
        "resume(0)": "! E_INVARG",
        "resume(task_id())": "! E_INVARG",
        "task_stack(0)": "! E_INVARG",
        "queued_tasks()": "{}",
        "queue_info(#5)": "0",
        "read(#9)": "! E_INVARG",
        "read(#9, 1)": "! E_INVARG",
        'force_input(#5, "x", 1, 2)': "! E_ARGS",
        "output_delimiters(#5)": "! E_INVARG",
    }.items(),
)
def test_arguments(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


@pytest.mark.parametrize(
    "call",
    [
        "read()",
        "read(#3)",
        "read(#3, 1)",
        'force_input(#3, "x")',
        "flush_input(#3)",
        "output_delimiters(#3)",
        "boot_player(#3)",
        'notify(#3, "x")',
        "load_server_options()",
        'server_log("x")',
        "verb_cache_stats()",
        "log_cache_stats()",
        "dump_database()",
        "shutdown()",
        'open_network_connection("localhost", 1)',
        "listen(#0, 1)",
        "unlisten(1)",
        "connection_name(#3)",
        'set_connection_option(#3, "hold-input", 1)',
    ],
)
def test_what_is_for_wizards_or_the_player(ask: Asker, call: str) -> None:
    assert ask(call, QUINN) == "! E_PERM"


def test_seconds_left_are_whole_ones(ask: Asker) -> None:
    assert ask("seconds_left()") == "60"
    ask.bench.clock.cpu_per_look = 0.25
    assert ask("seconds_left()") == "59"


def test_tasks_of_others_are_not_to_be_touched(ask: Asker) -> None:
    program = (
        "fork t (100) endfork set_task_perms(#5);"
        " return {`kill_task(t) ! ANY', queued_tasks(), `task_stack(t) ! ANY'};"
    )
    assert ask.run(program) == "{E_PERM, {}, E_INVARG}"


def test_queued_tasks_tells_of_a_fork(ask: Asker) -> None:
    program = "fork t (100) x = 1; endfork q = queued_tasks()[1]; return {q[1] == t,"
    program += " q[2] - time(), q[3..6], q[8..9]};"
    assert ask.run(program) == "{1, 100, {0, 15000, #3, #-1}, {2, #-1}}"


def test_what_a_failed_store_left_behind_counts_in_queued_tasks(ask: Asker) -> None:
    """The right side of an indexed assignment stays with the activation."""
    program = (
        "x = {}; fork (100) endfork a = queued_tasks()[1][10];"
        " `x[1] = STORED ! E_RANGE'; fork (200) endfork"
        " return queued_tasks()[2][10] - a;"
    )
    number = int(ask.run(program.replace("STORED", "12345")))
    string = int(Asker().run(program.replace("STORED", '"12345"')))
    assert string - number == len("12345") + 1


def test_a_task_killed_in_a_finally_part_is_reported_as_its_error(ask: Asker) -> None:
    lines = ask.lines("try 1 / 0; finally kill_task(task_id()); endtry")
    assert "Division by zero" in lines[0]
    assert lines[-1] == "(End of traceback)"


def test_even_if_the_finally_part_had_stopped_the_error(ask: Asker) -> None:
    stopped = "while (1) try 1 / 0; finally break; endtry endwhile "
    lines = ask.lines(stopped + "kill_task(task_id());")
    assert "Division by zero" in lines[0]
    assert ask.lines(stopped + "suspend(0); kill_task(task_id());") == []
    assert ask.lines(stopped) == []


def test_killing_prints_nothing_otherwise(ask: Asker) -> None:
    assert ask.lines("try kill_task(task_id()); finally #8:say(1); endtry") == []


# --- protection -----------------------------------------------------------


def test_protection_comes_with_load_server_options(ask: Asker) -> None:
    protect = 'add_property(#4, "protect_length", 1, {#3, ""});'
    assert ask.run(f"{protect} return length({{}});") == "0"
    assert ask("length({})", PAT) == "0"
    assert ask.run("load_server_options(); return length({});") == "0"
    assert ask("length({})", PAT) == "! E_PERM"


def test_a_bf_verb_is_called_instead_for_everybody_but_the_system_object(
    ask: Asker,
) -> None:
    program = (
        'add_property(#4, "protect_length", 1, {#3, ""});'
        ' add_verb(#0, {#3, "rxd", "bf_length"}, {"this", "none", "this"});'
        ' set_verb_code(#0, "bf_length", {"return {caller, callers()[1][2], args,"'
        ' + " length({1, 2})};"}); load_server_options();'
        ' return {length({}), eval("return length({1});")};'
    )
    assert ask.run(program).startswith('{{#-1, "')
    assert ask("length({7})[3..4]", PAT) == "{{{7}}, 2}"
    assert ask('call_function("length", {7})[3..4]') == "{{{7}}, 2}"
