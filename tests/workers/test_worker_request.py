"""worker_request(): what a MOO program sees of workers, row by row."""

from __future__ import annotations

import pytest

from pymoo.errors import MooError
from pymoo.tasks.waiting import LOST
from pymoo.values import E_INVARG, E_PERM, E_QUOTA, Obj
from pymoo.workers.registry import failure
from tests.fakes import WIZARD, Bench
from tests.workers.office import Office

TELL = 'notify(player, toliteral(worker_request("echo", 1, {2.0, #3})));'
TELL_ERROR = (
    'try worker_request("echo"); except e (ANY)'
    " notify(player, toliteral(listdelete(e, 4))); endtry"
)
CAUGHT = "try {}; except e (ANY) return listdelete(e, 4); endtry"


def caught(office: Office, call: str) -> str:
    return office.bench.run(CAUGHT.format(call)).literal


# --- M-12 -------------------------------------------------------------------


def test_m12_the_task_sleeps_until_the_answer_is_there(office: Office) -> None:
    office.ask(TELL)
    assert office.dispatcher.sent == {1: ("echo", (1, (2.0, Obj(3))), 60)}
    office.bench.advance(30)
    assert office.lines() == []
    office.answer(("answer", E_PERM))
    assert office.lines() == ['{"answer", E_PERM}']


def test_m12_an_error_value_in_an_answer_alone_is_raised(office: Office) -> None:
    """As with resume()."""
    office.ask(TELL_ERROR)
    office.answer(E_PERM)
    assert office.lines() == ['{E_PERM, "Permission denied", 0}']


def test_m12_an_error_of_the_worker_is_raised_with_message_and_value(
    office: Office,
) -> None:
    office.ask(TELL_ERROR)
    office.answer(MooError(E_INVARG, "Not that one", (1, 2)))
    assert office.lines() == ['{E_INVARG, "Not that one", {1, 2}}']


def test_m12_the_code_of_an_error_may_be_any_value(office: Office) -> None:
    office.ask(TELL_ERROR)
    office.answer(MooError("mine", "Message", 0))
    assert office.lines() == ['{"mine", "Message", 0}']


def test_m12_an_error_that_nobody_catches_has_its_message_in_the_traceback(
    office: Office,
) -> None:
    office.ask('worker_request("echo");')
    office.answer(MooError(E_INVARG, "Not that one"))
    assert office.lines()[0].endswith("Not that one")


def test_m12_without_the_d_bit_the_error_code_is_the_value(office: Office) -> None:
    code = 'notify(player, toliteral(worker_request("echo")));'
    assert office.bench.run(code, debug=0).is_asleep
    office.answer(MooError(E_INVARG, "Not that one"))
    assert office.lines() == ["E_INVARG"]


def test_m12_only_wizards_may_ask(office: Office) -> None:
    seen = office.bench.run(CAUGHT.format('worker_request("echo")'), player=Obj(1))
    assert seen.literal == '{E_PERM, "Permission denied", 0}'
    assert office.dispatcher.sent == {}


def test_m12_a_kind_that_there_is_not_is_an_error_at_once(office: Office) -> None:
    assert caught(office, 'worker_request("Cook", 1)') == (
        '{E_INVARG, "Cook: there is no such worker", "Cook"}'
    )


def test_m12_the_case_of_a_kind_does_not_matter(office: Office) -> None:
    office.ask('worker_request("ECHO");')
    assert office.dispatcher.sent[1][0] == "echo"


def test_m12_without_workers_there_is_no_kind_at_all() -> None:
    assert caught(Office(), 'worker_request("x")').startswith("{E_INVARG")
    from pymoo.server.worker_tasks import WorkerTasks

    bench = Bench(dialect_name="pymoo")
    bench.host.workers = WorkerTasks(bench.scheduler)  # type: ignore[assignment]
    seen = bench.run(CAUGHT.format('worker_request("echo")'))
    assert seen.literal == '{E_INVARG, "echo: there is no such worker", "echo"}'


def test_m12_lambdamoo_does_not_have_the_function(bench: Bench) -> None:
    assert bench.errors('worker_request("echo");') == [
        "Line 1:  Unknown built-in function: worker_request"
    ]


@pytest.mark.parametrize("seconds", ["5", "0.5"])
def test_m12_no_answer_in_time_is_an_error(office: Office, seconds: str) -> None:
    office.ask(
        f'try worker_request({{"echo", {{"timeout", {seconds}}}}});'
        " except e (ANY) notify(player, toliteral(listdelete(e, 4))); endtry"
    )
    assert office.dispatcher.sent[1] == ("echo", (), float(seconds))
    office.bench.advance(float(seconds) - 0.1)
    assert office.lines() == []
    office.bench.advance(0.2)
    assert office.lines() == [
        f'{{E_INVARG, "echo: no answer within {seconds} seconds", 0}}'
    ]
    assert office.dispatcher.cancelled == [1]


def test_m12_the_time_is_60_seconds_or_what_the_server_options_say(
    office: Office,
) -> None:
    office.ask(TELL)
    for value in ("5", "1.5", "0", "-1", '"soon"'):
        office.bench.run(
            f'`add_property(#4, "worker_timeout", 0, {{#3, ""}}) ! E_INVARG\';'
            f"#4.worker_timeout = {value};"
        )
        office.ask(TELL)
    times = [seconds for _, _, seconds in office.dispatcher.sent.values()]
    assert times == [60, 5, 1.5, 60, 60, 60]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (
            "5",
            '{E_TYPE, "The first argument must be the kind of work, or a list '
            'of it and options", 5}',
        ),
        (
            "#3",
            '{E_TYPE, "The first argument must be the kind of work, or a list '
            'of it and options", #3}',
        ),
        ("{}", '{E_TYPE, "The first element must be the kind of work, a string", 0}'),
        (
            '{"echo", 5}',
            '{E_INVARG, "The only option is {\\"timeout\\", seconds}", 5}',
        ),
        (
            '{"echo", {"patience", 5}}',
            '{E_INVARG, "The only option is {\\"timeout\\", seconds}", '
            '{"patience", 5}}',
        ),
        (
            '{"echo", {"timeout", "5"}}',
            '{E_TYPE, "The timeout must be a number of seconds", "5"}',
        ),
        (
            '{"echo", {"timeout", 0}}',
            '{E_INVARG, "The timeout must be above 0 seconds", 0}',
        ),
        (
            '{"echo", {"timeout", -1.0}}',
            '{E_INVARG, "The timeout must be above 0 seconds", -1.0}',
        ),
    ],
)
def test_m12_a_request_that_makes_no_sense_is_an_error(
    office: Office, request_: str, error: str
) -> None:
    assert caught(office, f"worker_request({request_})") == error
    assert office.dispatcher.sent == {}


def test_m12_a_request_without_arguments_is_an_error(office: Office) -> None:
    assert caught(office, "worker_request()").startswith("{E_ARGS")


def test_m12_nothing_is_asked_by_a_task_that_may_not_sleep(office: Office) -> None:
    code = 'add_property(#3, "queued_task_limit", 0, {#3, ""});'
    office.bench.run(code)
    assert caught(office, 'worker_request("echo")').startswith("{E_QUOTA")
    assert office.dispatcher.sent == {}
    assert office.bench.run("return queued_tasks();").value == ()


def test_m12_what_cannot_be_sent_is_raised_in_the_task(office: Office) -> None:
    office.dispatcher.refusal = MooError(E_QUOTA, "Too many")
    office.ask(TELL_ERROR)
    office.bench.settle()
    assert office.lines() == ['{E_QUOTA, "Too many", 0}']
    assert office.dispatcher.cancelled == []


def test_m12_an_answer_that_comes_after_kill_task_is_dropped(office: Office) -> None:
    office.ask(TELL)
    office.bench.run("kill_task(queued_tasks()[1][1]);")
    assert office.dispatcher.cancelled == [1]
    assert office.bench.run("return queued_tasks();").value == ()
    assert office.tasks._waiting == {}
    assert office.tasks._numbers == {}


def test_m12_two_tasks_get_their_own_answers_whatever_comes_first(
    office: Office,
) -> None:
    office.ask(TELL)
    office.ask(TELL)
    office.answer("second", 2)
    office.answer("first", 1)
    assert office.lines() == ['"second"', '"first"']


def test_m12_whatever_calls_it_goes_on_with_its_own_variables(office: Office) -> None:
    office.bench.verb(2, "ask", 'return {x = 5, worker_request("echo"), x};')
    office.ask("y = 1; notify(player, toliteral({y, #2:ask(), y}));")
    office.answer(2)
    assert office.lines() == ["{1, {5, 2, 5}, 1}"]


def test_m12_call_function_asks_as_well(office: Office) -> None:
    office.ask('notify(player, toliteral(call_function("worker_request", "echo")));')
    office.answer("there")
    assert office.lines() == ['"there"']


def test_m29_a_slice_that_is_rolled_back_gives_up_no_request(office: Office) -> None:
    office.ask(TELL)
    office.bench.run("kill_task(queued_tasks()[1][1]); rollback();")
    assert office.dispatcher.cancelled == []
    office.answer("there")
    assert office.lines() == ['"there"']


def test_m29_a_request_that_was_sent_is_not_sent_again(office: Office) -> None:
    """What comes after it may be rolled back; it has been committed."""
    office.ask('worker_request("echo"); #4.name = "x"; rollback();')
    office.answer("there")
    assert office.bench.run("return #4.name;").value == "Options"
    assert [*office.dispatcher.sent] == [1]


# --- M-13 -------------------------------------------------------------------


def test_m13_a_task_that_waits_for_a_worker_is_queued(office: Office) -> None:
    office.ask('worker_request({"echo", {"timeout", 7}});')
    ((task_id, start, _, _, owner, *_),) = office.bench.run(  # type: ignore[misc]
        "return queued_tasks();"
    ).value
    assert start == int(office.bench.clock.now()) + 7
    assert owner == WIZARD
    assert office.bench.run("return queue_info(#3);").value == 1
    assert office.bench.run(f"return task_stack({task_id}) != {{}};").value == 1


def test_m13_forked_suspended_reading_and_worker_tasks_are_queued(
    office: Office,
) -> None:
    office.bench.scheduler.connect(WIZARD, Obj(0))
    office.bench.run("fork (100) endfork")
    office.ask("suspend(200);")
    office.ask("read(player);")
    office.ask('worker_request({"echo", {"timeout", 300}});')
    now = int(office.bench.clock.now())
    rows = office.bench.run("return queued_tasks();").value
    starts = [row[1] for row in rows]  # type: ignore[index,union-attr]
    assert starts == [-1, now + 100, now + 200, now + 300]


def test_m13_resume_does_not_stand_for_an_answer(office: Office) -> None:
    office.ask(TELL)
    assert caught(office, "resume(queued_tasks()[1][1], 5)").startswith("{E_INVARG")
    office.answer(6)
    assert office.lines() == ["6"]


def test_m13_resume_does_not_change_an_answer_that_is_there(office: Office) -> None:
    office.ask(TELL)
    office.dispatcher.answered(1, "worker's")
    office.bench.run('`resume(queued_tasks()[1][1], "mine") ! E_INVARG\';')
    office.bench.settle()
    assert office.lines() == ['"worker\'s"']


def test_m13_only_its_programmer_or_a_wizard_kills_it(office: Office) -> None:
    office.ask(TELL)
    (row,) = office.bench.run("return queued_tasks();").value  # type: ignore[misc]
    seen = office.bench.run(CAUGHT.format(f"kill_task({row[0]})"), player=Obj(1))
    assert seen.literal.startswith("{E_PERM")
    assert office.dispatcher.cancelled == []


# --- M-18 -------------------------------------------------------------------


def test_m18_a_task_goes_on_with_the_budget_of_a_background_task(
    office: Office,
) -> None:
    before = "notify(player, tostr(ticks_left() > 50000, seconds_left() > 3));"
    after = "notify(player, tostr(ticks_left() > 20000, ticks_left() <= 30000));"
    seconds = "notify(player, tostr(seconds_left() <= 3));"
    office.ask(f'{before} worker_request("echo"); {after} {seconds}')
    office.answer(0)
    assert office.lines() == ["11", "11", "1"]


# --- messages ---------------------------------------------------------------


def test_messages_of_errors_are_one_short_line() -> None:
    code, message, value = failure(E_INVARG, "one\n  two " + "x" * 5000)["error"]
    assert (code, value) == ({"err": "E_INVARG"}, 0)
    assert message.startswith("one two x")
    assert len(message) <= 1000


def test_the_message_of_a_lost_request_says_what_happened() -> None:
    assert "restart" in LOST
