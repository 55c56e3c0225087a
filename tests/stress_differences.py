"""The tests that may see a stress switch, each with the reason.

Everything else must hold under `pymoo.tasks.stress` as it does without.
"""

from __future__ import annotations

from typing import Final

import pytest

from pymoo.tasks.stress import RELOAD, UNWIND, switched_on

_ALL_ARE_OTHERS: Final = (
    "it asks which tasks have changed since the last slice: each is another one then"
)
_MADE_ANEW: Final = (
    "it asks for what a program has in memory besides its text: each is a new one then"
)
_ON_LINE_1: Final = (
    "it looks at a forked task that waits: the body of a fork that was read from a "
    "textdump is on line 1 until it begins, there and here"
)
_MORE_MEMORY: Final = "it measures memory, and a world that is read anew takes more"

DIFFERENCES: Final[dict[str, dict[str, str]]] = {
    UNWIND: {},
    RELOAD: {
        "tests/interp/test_code_cache.py::"
        "test_a_verb_is_python_from_its_second_call_after_a_restart": _MADE_ANEW,
        "tests/interp/test_code_cache.py::"
        "test_what_stays_with_the_walker_is_not_taken_from_a_file_either": _MADE_ANEW,
        "tests/interp/test_code_cache.py::"
        "test_kept_code_that_does_not_fit_is_a_bug_and_not_the_end": _MADE_ANEW,
        "tests/interp/test_walker.py::"
        "test_the_first_instruction_of_a_new_program_is_blamed_on_line_1[walker]": (
            _MADE_ANEW
        ),
        "tests/interp/test_walker.py::"
        "test_the_first_instruction_of_a_new_program_is_blamed_on_line_1[compiled]": (
            _MADE_ANEW
        ),
        "tests/server/test_transcripts.py::"
        "test_session_replays_without_a_difference[lc-limits]": (
            "it asks a command for its seconds_left(), and that command has to parse "
            "all its verbs: on a slow machine half a second has gone by"
        ),
        "tests/server/test_journalled.py::"
        "test_recorded_sessions_with_a_journal[lc-tasks]": _ON_LINE_1,
        "tests/server/test_memory.py::"
        "test_a_program_that_takes_all_memory_is_stopped[a property that grows]": (
            _MORE_MEMORY
        ),
        "tests/server/test_memory.py::"
        "test_a_program_that_takes_all_memory_is_stopped"
        "[tasks with a large list each]": _MORE_MEMORY,
        "tests/server/test_transcripts.py::"
        "test_session_replays_without_a_difference[lc-restart]": _ON_LINE_1,
        "tests/server/test_transcripts.py::"
        "test_session_replays_without_a_difference[lc-tasks]": _ON_LINE_1,
        "tests/server/test_transcripts.py::"
        "test_session_replays_without_a_difference[mn-tasks]": _ON_LINE_1,
        "tests/soak/test_soak.py::"
        "test_a_crowd_is_served_while_others_do_harm": _MORE_MEMORY,
        "tests/tasks/test_task_recorder.py::"
        "test_r1_nothing_is_asked_of_tasks_that_sleep_on": _ALL_ARE_OTHERS,
        "tests/tasks/test_task_recorder.py::"
        "test_a_task_that_waits_anew_has_a_new_number_and_others_keep_theirs": (
            _ALL_ARE_OTHERS
        ),
    },
}
"""By switch and node id: why the test may fail there."""


def mark(items: list[pytest.Item]) -> None:
    """Mark the tests that may fail under the switches that are on."""
    for switch in switched_on():
        for item in items:
            reason = DIFFERENCES[switch].get(item.nodeid)
            if reason is not None:
                # What depends on the machine may as well go well.
                item.add_marker(
                    pytest.mark.xfail(reason=f"{switch}: {reason}", strict=False)
                )
