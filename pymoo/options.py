"""The options that a database sets, and their defaults.

They are properties of ``#0.server_options``, own or inherited, read whatever
their permissions.  A value of the wrong type means the default.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from attrs import frozen

# Source of the figures: options.h.
DEFAULT_MAX_STACK_DEPTH: Final = 50
DEFAULT_FG_SECONDS: Final = 5
DEFAULT_BG_SECONDS: Final = 3
MIN_TICKS: Final = 100
MIN_SECONDS: Final = 1
MIN_HARD_SECONDS: Final = 0.1
DEFAULT_MAX_LIST_CONCAT: Final = 4_194_302
DEFAULT_MAX_STRING_CONCAT: Final = 33_554_423
# What the C server could hold at all on a 64-bit machine (structures.h).
MAX_LIST: Final = 134_217_725
MAX_STRING: Final = 2_147_483_638
MIN_LIST_CONCAT: Final = 1022
MIN_STRING_CONCAT: Final = 1015
DEFAULT_CONNECT_TIMEOUT: Final = 300
DEFAULT_PORT: Final = 7777
DEFAULT_FLUSH_COMMAND: Final = ".flush"
DEFAULT_NAME_LOOKUP_TIMEOUT: Final = 5
DEFAULT_OUTBOUND_CONNECT_TIMEOUT: Final = 5
DEFAULT_WORKER_TIMEOUT: Final = 60
DEFAULT_MAX_TASK_MAILBOX: Final = 1000
DEFAULT_TASK_CLOCK: Final = "cpu"
DEFAULT_DUMP_INTERVAL: Final = 3600
MIN_DUMP_INTERVAL: Final = 60
DEFAULT_TIMEZONE: Final = "UTC"

OUT_OF_BAND_PREFIX: Final = "#$#"
"""What lines begin with that are for programs at either end, not for people."""


class When(Enum):
    """When the server looks at an option."""

    AS_NEEDED = "each time it is needed"
    AT_START = "each time a task starts or resumes"
    LOADED = "when the server starts and at load_server_options()"


@frozen
class ServerOption:
    """One property of ``$server_options``."""

    name: str
    default: object
    unit: str
    when: When
    meaning: str


SERVER_OPTIONS: Final = tuple(
    ServerOption(*row)
    for row in (
        ("fg_ticks", None, "ticks", When.AT_START, "budget of commands"),
        ("bg_ticks", None, "ticks", When.AT_START, "budget of background tasks"),
        ("fg_seconds", DEFAULT_FG_SECONDS, "seconds", When.AT_START, "of commands"),
        ("bg_seconds", DEFAULT_BG_SECONDS, "seconds", When.AT_START, "of the others"),
        (
            "max_stack_depth",
            DEFAULT_MAX_STACK_DEPTH,
            "verb calls",
            When.AT_START,
            "E_MAXREC beyond it; can only be raised",
        ),
        (
            "queued_task_limit",
            -1,
            "tasks",
            When.AS_NEEDED,
            "forked and suspended tasks of a programmer without a limit of their own",
        ),
        (
            "limit_reading_tasks",
            False,
            "flag",
            When.AS_NEEDED,
            "tasks that read count for that limit too (dialect pymoo)",
        ),
        (
            "max_task_mailbox",
            DEFAULT_MAX_TASK_MAILBOX,
            "messages",
            When.AS_NEEDED,
            "what a task may have been sent and not taken (dialect pymoo)",
        ),
        (
            "task_clock",
            DEFAULT_TASK_CLOCK,
            '"cpu" or "wall"',
            When.LOADED,
            "what the seconds of tasks are counted with (dialect pymoo)",
        ),
        (
            "hard_seconds",
            None,
            "seconds",
            When.LOADED,
            "on the wall, after which any slice is stopped (dialect pymoo)",
        ),
        (
            "invoked_output_mark",
            "",
            "string",
            When.LOADED,
            "before lines that a task of invoke() sends its player (dialect pymoo)",
        ),
        (
            "max_list_concat",
            DEFAULT_MAX_LIST_CONCAT,
            "elements",
            When.LOADED,
            "how long a list may become",
        ),
        (
            "max_string_concat",
            DEFAULT_MAX_STRING_CONCAT,
            "characters",
            When.LOADED,
            "how long a string may become",
        ),
        (
            "max_concat_catchable",
            False,
            "flag",
            When.LOADED,
            "E_QUOTA instead of the task's end where these two are exceeded",
        ),
        (
            "protect_<function>",
            False,
            "flag",
            When.LOADED,
            "only #0:bf_<function> and wizards reach the built-in function",
        ),
        (
            "protect_<property>",
            False,
            "flag",
            When.LOADED,
            "only wizards read or set the built-in property",
        ),
        (
            "connect_timeout",
            DEFAULT_CONNECT_TIMEOUT,
            "seconds",
            When.AS_NEEDED,
            "until a connection that does not log in is closed",
        ),
        (
            "default_flush_command",
            DEFAULT_FLUSH_COMMAND,
            "string",
            When.AS_NEEDED,
            "the flush command of new connections",
        ),
        (
            "name_lookup_timeout",
            DEFAULT_NAME_LOOKUP_TIMEOUT,
            "seconds",
            When.AS_NEEDED,
            "for the name of a connection's host",
        ),
        (
            "outbound_connect_timeout",
            DEFAULT_OUTBOUND_CONNECT_TIMEOUT,
            "seconds",
            When.AS_NEEDED,
            "for open_network_connection()",
        ),
        (
            "worker_timeout",
            DEFAULT_WORKER_TIMEOUT,
            "seconds",
            When.AS_NEEDED,
            "for the answer to a worker_request() that does not say",
        ),
        (
            "support_numeric_verbname_strings",
            False,
            "flag",
            When.AS_NEEDED,
            'whether verb_info(o, "0") may count verbs from 0',
        ),
        (
            "timezone",
            DEFAULT_TIMEZONE,
            "name",
            When.AS_NEEDED,
            "what the cron schedules of invoke() are meant in that do not say it",
        ),
    )
)
