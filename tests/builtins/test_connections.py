"""Built-in functions on connections: permissions, and what the server is told."""

from __future__ import annotations

import pytest

from pymoo.values import Obj
from tests.builtins.asking import PAT, QUINN, Asker


@pytest.mark.parametrize(
    ("expression", "value"),
    {
        'notify(#3, "text")': "1",
        'notify(#99, "text")': "1",
        'notify(#3, "text", 1)': "1",
        "notify(#3, 5)": "! E_TYPE",
        "notify(#3)": "! E_ARGS",
        "connected_players()": "{#3}",
        "connected_seconds(#5)": "! E_INVARG",
        "idle_seconds(#5)": "! E_INVARG",
        "connection_name(#5)": "! E_INVARG",
        "connection_options(#5)": "! E_INVARG",
        'connection_option(#5, "hold-input")': "! E_INVARG",
        'set_connection_option(#5, "hold-input", 1)': "! E_INVARG",
        "boot_player(#5)": "0",
        "listen(#16, 1)": "! E_INVARG",
        "unlisten(1)": "! E_INVARG",
        "buffered_output_length(#5, 1)": "! E_ARGS",
    }.items(),
)
def test_answers_to_a_wizard(ask: Asker, expression: str, value: str) -> None:
    assert ask(expression) == value


def test_players_may_act_for_themselves(ask: Asker) -> None:
    assert ask('notify(#5, "x")', PAT) == "1"
    assert ask('notify(#5, "x")', QUINN) == "! E_PERM"
    assert ask("boot_player(#5)", PAT) == "0"
    assert ask('force_input(#5, "x")', PAT) == "0"
    assert ask("flush_input(#5)", PAT) == "0"


def test_lines_arrive_as_they_are(ask: Asker) -> None:
    program = 'notify(#3, "a\tb"); notify(#3, $odd[4]); notify(#3, "");'
    assert ask.lines(program.replace("\t", " ")) == ["a b", "caf\xe9", ""]


def test_booting_and_losing_the_player_flag_disconnect(ask: Asker) -> None:
    ask.run("boot_player(#5); set_player_flag(#7, 0);")
    assert ask.bench.host.connections.booted == [Obj(5), Obj(7)]
