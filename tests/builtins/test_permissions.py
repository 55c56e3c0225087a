"""Functions whose effects leave the world, or are everybody's, are for wizards."""

from __future__ import annotations

import pytest

from pymoo.values import Obj
from tests.builtins.asking import PAT, QUINN, Asker
from tests.fakes import Bench
from tests.program_strategies import program_world

FOR_WIZARDS = (
    'open_network_connection("localhost", 80)',
    "listen(#0, 8888)",
    "unlisten(8888)",
    'server_log("text")',
    "shutdown()",
    "dump_database()",
    "load_server_options()",
    "verb_cache_stats()",
    "log_cache_stats()",
    "set_player_flag(#8, 1)",
    "renumber(#8)",
    "reset_max_object()",
    "boot_player(#3)",
    'force_input(#3, "look")',
    "flush_input(#3)",
    'notify(#3, "text")',
    'set_connection_option(#3, "binary", 1)',
    "set_task_perms(#3)",
    'worker_request("add", 1)',
    'job_start("module:name")',
    'job_chain({{"module:name"}})',
    "jobs()",
    "job_info(1)",
    "job_abort(1)",
    "job_wait(1)",
    "commit()",
    "rollback()",
)


@pytest.mark.parametrize("who", [PAT, QUINN])
@pytest.mark.parametrize("call", FOR_WIZARDS)
def test_what_reaches_outside_the_world_is_for_wizards(call: str, who: Obj) -> None:
    ask = Asker(Bench(program_world(), "pymoo"))
    assert ask(call, who) == "! E_PERM"
