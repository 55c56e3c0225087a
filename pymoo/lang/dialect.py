"""What each dialect allows and means: one table.

A dialect is chosen for a database.  ``lambdamoo`` is LambdaMOO 1.8.3 exactly, its
limits included.  ``pymoo``, the default, adds to it what no program written for
LambdaMOO can notice by accident.

Everything that depends on the dialect asks a `Dialect`; nothing compares its name
but what shows it.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from pymoo.errors import OptionError


@frozen
class Dialect:
    """One column of the table."""

    name: str

    # --- the language ---
    # Bits of an INT in a database that does not say otherwise.
    default_width: int
    # `//` begins a comment that ends with the line.
    line_comments: bool

    # --- limits of tasks ---
    # Ticks of a task that a command or the server starts, and of one that was
    # forked or has been suspended, where $server_options does not say.
    fg_ticks: int
    bg_ticks: int
    # Options that ask for fewer than 100 ticks or 1 second count as not there;
    # otherwise they count as 100 ticks and 1 second.
    ignores_small_limits: bool
    # $server_options may hold limit_reading_tasks and task_clock.
    added_options: bool
    # What a step of match() and rmatch() takes of a task's seconds, besides the time
    # that it really takes, and how many steps one match may have; None: any number.
    # A step is a quarter of a microsecond, so a second of matching counts as 100.
    seconds_per_match_step: float
    most_match_steps: int | None

    # --- functions ---
    # fork and suspend() take FLOATs, and wake to the fraction of a second.
    fractional_delays: bool
    # There are the functions that LambdaMOO 1.8.3 does not have.
    added_functions: bool
    # queued_tasks() takes the arguments that ToastStunt gave it.
    added_arguments: bool
    # server_version() has a topic about pymoo itself.
    tells_of_pymoo: bool


LAMBDAMOO: Final = Dialect(
    name="lambdamoo",
    default_width=32,
    line_comments=False,
    fg_ticks=30_000,
    bg_ticks=15_000,
    ignores_small_limits=False,
    added_options=False,
    seconds_per_match_step=0.0,
    most_match_steps=None,
    fractional_delays=False,
    added_functions=False,
    added_arguments=False,
    tells_of_pymoo=False,
)

PYMOO: Final = Dialect(
    name="pymoo",
    default_width=32,
    line_comments=True,
    fg_ticks=60_000,
    bg_ticks=30_000,
    ignores_small_limits=True,
    added_options=True,
    seconds_per_match_step=0.000025,
    most_match_steps=100_000,
    fractional_delays=True,
    added_functions=True,
    added_arguments=True,
    tells_of_pymoo=True,
)

DIALECTS: Final = {each.name: each for each in (LAMBDAMOO, PYMOO)}
DEFAULT: Final = PYMOO


def dialect(name: str) -> Dialect:
    """Return the dialect of that name.

    Raises: OptionError if there is none.
    """
    try:
        return DIALECTS[name]
    except KeyError:
        known = ", ".join(DIALECTS)
        raise OptionError(
            f"there is no dialect {name!r}: choose one of {known}"
        ) from None
