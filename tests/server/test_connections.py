"""Connections from their arrival to their end, as players and programs see them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.connections import MAX_QUEUED_LINES
from pymoo.server.inprocess import InProcessServer
from pymoo.server.telnet import MAX_LINE, MAX_LOGIN_LINE
from tests.db.worlds import SYSTEM, WIZARD, value_of
from tests.server.online import HANDLER, PLAYER, Online, load_file

REDIRECT_FROM = "*** Redirecting connection to new port ***"
REDIRECT_TO = "*** Redirecting old connection to this port ***"


def events(online: Online) -> list[list[Any]]:
    """Verb, this, args[1] of each call that the database has seen."""
    return [row[:3] for row in online.seen()]


# --- arrival and login --------------------------------------------------------


def test_an_empty_line_runs_the_login_before_anything_is_typed(online: Online) -> None:
    client = online.process.connect()
    client.send_line("#99")
    online.process.run()
    assert client.take_lines()[0] == "Welcome."


def test_connections_are_numbered_downwards_and_never_again(online: Online) -> None:
    first, second = online.connect(), online.connect()
    assert online.eval("return connected_players(1);") == "{#-4, #-3, #3}"
    first.close()
    second.close()
    online.connect()
    assert online.eval("return connected_players(1);") == "{#-5, #3}"


def test_every_line_before_login_is_given_to_the_login_verb(tmp_path: Path) -> None:
    code = "notify(player, toliteral({player, caller, this, args, argstr, verb}));"
    online = Online(tmp_path)
    online.do(f'set_verb_code(#0, "do_login_command", {{{literal(code)}}});')
    client = online.connect("", "   ", ' a  "b c" ', "#$#oob", ".flush", "PREFIX x")
    assert client.take_lines() == [
        '{#-3, #-1, #0, {}, "", "do_login_command"}',
        '{#-3, #-1, #0, {}, "", "do_login_command"}',
        '{#-3, #-1, #0, {}, "   ", "do_login_command"}',
        '{#-3, #-1, #0, {"a", "b c"}, " a  \\"b c\\" ", "do_login_command"}',
        ">> No pending input to flush...",
        '{#-3, #-1, #0, {"PREFIX", "x"}, "PREFIX x", "do_login_command"}',
    ]


def literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def test_login_of_an_old_player_is_told_as_connected(online: Online) -> None:
    client = online.connect("#4")
    assert client.take_lines() == ["Welcome.", "*** Connected ***"]
    rows = online.seen()
    assert rows[-1] == ["user_connected", 0, 4, 4, -1, "", 1]
    assert "CONNECTED: Player (#4) on port 7777 from localhost, port 40004" in (
        online.log
    )


def test_login_of_a_player_made_by_it_is_told_as_created(online: Online) -> None:
    client = online.connect("create")
    assert client.take_lines() == ["Welcome.", "*** Created ***"]
    assert events(online)[-1] == ["user_created", 0, 7]
    assert any(line.startswith("CREATED:  (#7) on port 7777") for line in online.log)


@pytest.mark.parametrize("word", ["#1", "#99", "#-1", "hello", "later"])
def test_nobody_logs_in_as_what_is_no_player_or_comes_too_late(
    online: Online, word: str
) -> None:
    client = online.connect(word)
    assert client.take_lines() == ["Welcome."]
    assert online.eval("return connected_players(1);") == "{#-3, #3}"


def test_the_message_comes_before_what_the_verb_prints(tmp_path: Path) -> None:
    online = Online(tmp_path)
    code = literal('notify(args[1], "hi");')
    online.do(f'set_verb_code(#0, "user_connected", {{{code}}});')
    client = online.connect("#4")
    assert client.take_lines() == ["Welcome.", "*** Connected ***", "hi"]


def test_an_event_without_a_verb_is_no_matter(online: Online) -> None:
    online.do("delete_verb(#0, 2);")
    client = online.connect("#4")
    assert client.take_lines() == ["Welcome.", "*** Connected ***"]


def test_an_event_whose_verb_may_not_be_executed_is_no_matter(online: Online) -> None:
    online.do('set_verb_info(#0, 2, {#3, "rd", "user_connected"});')
    online.connect("#4")
    assert not any(row[2] == 4 for row in online.seen())


# --- redirection ---------------------------------------------------------------


def test_a_second_login_at_the_same_handler_redirects(online: Online) -> None:
    old = online.connect("#4")
    online.seen()
    old.take()
    new = online.connect("#4")
    assert old.take_lines() == [REDIRECT_FROM]
    assert old.was_closed
    assert new.take_lines() == ["Welcome.", REDIRECT_TO]
    assert online.seen() == [["user_reconnected", 0, 4, 4, -1, "", 1]]
    assert online.eval("return connected_players();") == "{#4, #3}"
    assert (
        "REDIRECTED: Player (#4), was port 7777 from localhost, port 40004, "
        "now port 7777 from localhost, port 40006"
    ) in online.log


def test_a_second_login_at_another_handler_ends_the_first_there(online: Online) -> None:
    assert online.eval(f"return listen({HANDLER}, 8888, 1);") == "8888"
    old = online.connect("#4")
    online.seen()
    old.take()
    new = online.connect("#4", port=8888)
    assert old.take_lines() == [REDIRECT_FROM]
    assert new.take_lines() == ["Welcome.", REDIRECT_TO]
    assert online.seen() == [
        ["user_client_disconnected", 0, 4, 4, -1, "", 0],
        ["user_connected", 6, 4, 4, -1, "", 1],
    ]


def test_booting_whoever_is_redirected_to_another_handler_is_undone(
    tmp_path: Path,
) -> None:
    """The C server forgets it as well: it clears the mark that the boot has set."""
    online = Online(tmp_path)
    online.do(f"listen({HANDLER}, 8888, 1); return 0;")
    code = '{"verb == \\"user_client_disconnected\\" && boot_player(args[1]);"}'
    online.do(f'set_verb_code(#0, "user_client_disconnected", {code});')
    online.connect("#4")
    new = online.connect("#4", port=8888)
    assert online.eval("return connected_players();") == "{#4, #3}"
    assert not new.was_closed
    assert not online.connections.must_close
    new.take()
    assert online.eval("return 1;", new) == "1"


def test_input_of_a_redirected_connection_is_thrown_away(online: Online) -> None:
    old = online.connect("#4")
    online.do('set_connection_option(#4, "hold-input", 1);')
    online.type(old, ";#0.seen = 1;")
    new = online.connect("#4")
    new.take()
    assert online.eval('return connection_option(#4, "hold-input");') == "0"
    assert online.eval("return read(#4, 1);") == "0"


def test_tasks_of_a_redirected_player_go_on(online: Online) -> None:
    old = online.connect("#4")
    online.type(old, ';fork (5) notify(player, "later"); endfork')
    new = online.connect("#4")
    new.take()
    online.process.advance(6)
    assert new.take_lines() == ["later"]


# --- ends ------------------------------------------------------------------------


def test_a_client_that_hangs_up_is_gone_when_the_database_hears_of_it(
    online: Online,
) -> None:
    client = online.connect("#4")
    online.seen()
    client.close()
    assert online.seen() == [["user_client_disconnected", 0, 4, 4, -1, "", 0]]
    assert (
        "CLIENT DISCONNECTED: Player (#4) on port 7777 from localhost, port 40004"
    ) in online.log


def test_a_booted_player_hears_of_it_after_what_was_printed_before(
    online: Online,
) -> None:
    client = online.connect("#4")
    online.seen()
    client.take()
    answer = online.eval(
        'notify(#4, "before"); boot_player(#4); notify(#4, "after"); '
        "return {connected_players(), `connection_name(#4) ! ANY', "
        "`idle_seconds(#4) ! ANY'};"
    )
    assert answer == "{{#3}, E_INVARG, E_INVARG}"
    assert client.take_lines() == ["before", "*** Disconnected ***"]
    assert client.was_closed
    assert online.seen() == [["user_disconnected", 0, 4, 4, -1, "", 0]]
    assert any(line.startswith("DISCONNECTED: Player (#4) on") for line in online.log)


def test_what_was_typed_before_the_end_is_still_done(online: Online) -> None:
    """As in the C server: a queue is used up, connected or not."""
    client = online.connect("#4")
    client.send_line(";boot_player(player);")
    client.send_line(";#0.seen = 17;")
    online.process.run()
    assert client.was_closed
    client.send_line(";#0.seen = 18;")
    online.process.run()
    assert online.eval("return #0.seen;") == "17"


def test_an_unnamed_connection_can_be_booted(online: Online) -> None:
    client = online.connect()
    client.take()
    online.do("boot_player(#-3);")
    assert client.take_lines() == ["*** Disconnected ***"]
    assert online.seen()[-1][:3] == ["user_disconnected", 0, -3]


def test_booting_who_is_not_connected_does_nothing(online: Online) -> None:
    online.do("boot_player(#4);")
    online.do("boot_player(#99);")
    assert not online.connections.must_close


def test_a_verb_that_is_told_of_a_boot_can_boot_others_at_once(
    tmp_path: Path,
) -> None:
    """The newest connections are looked at first: #7 has been passed by then."""
    online = Online(tmp_path)
    code = '{"verb == \\"user_disconnected\\" && boot_player(#7);"}'
    online.do(f'set_verb_code(#0, "user_disconnected", {code});')
    first = online.connect("#4")
    later = online.connect("create")
    first.take()
    later.take()
    online.do("boot_player(#4);")
    assert first.take_lines() == ["*** Disconnected ***"]
    assert later.take_lines() == ["*** Disconnected ***"]
    assert later.was_closed


def test_a_recycled_player_is_told_so_and_no_verb_is_called(online: Online) -> None:
    client = online.connect("#4")
    online.seen()
    client.take()
    online.do("recycle(#4);")
    assert client.take_lines() == ["*** Recycled ***"]
    assert client.was_closed
    assert online.seen() == []
    assert "RECYCLED: #4 on port 7777 from localhost, port 40004" in online.log


def test_a_login_is_given_up_after_300_seconds_without_a_line(online: Online) -> None:
    client = online.connect()
    client.take()
    online.process.advance(299)
    client.send(b"half a line")
    online.process.advance(1.9)
    online.process.run()
    assert not client.was_closed
    online.process.advance(0.1)
    assert client.take_lines() == ["*** Timed-out waiting for login. ***"]
    assert client.was_closed
    assert online.seen()[-1][:3] == ["user_disconnected", 0, -3]
    assert "TIMEOUT: #-3 on port 7777 from localhost, port 40004" in online.log


def test_each_line_begins_the_time_for_a_login_anew(online: Online) -> None:
    client, other = online.connect(), online.connect()
    for _ in range(3):
        online.process.advance(200)
        online.type(client, "hello")
    assert not client.was_closed
    assert other.was_closed
    online.process.advance(302)
    assert client.was_closed


def test_whoever_is_logged_in_may_be_idle_for_ever(online: Online) -> None:
    online.process.advance(10_000)
    assert online.eval("return idle_seconds(#3);") == "0"
    assert not online.wizard.was_closed


@pytest.mark.parametrize(
    ("value", "closed_after"), [(10, 11), (0, None), (-1, None), ("x", None)]
)
def test_connect_timeout_is_an_option(
    tmp_path: Path, value: Any, closed_after: int | None
) -> None:
    online = Online(tmp_path, options={"connect_timeout": value})
    client = online.connect()
    online.process.advance(10)
    assert not client.was_closed
    online.process.advance(5_000)
    assert client.was_closed == (closed_after is not None)


def test_connections_that_a_dump_lists_are_told_to_be_gone_at_the_start(
    online: Online,
) -> None:
    online.connect("#4")
    online.do("#0.seen = {};")
    online.process.shut_down()
    again = InProcessServer.open(
        online.output, online.folder / "second.db", LAMBDAMOO, seed=1
    )
    seen = value_of(again.server.engine.world, SYSTEM, "seen")
    assert isinstance(seen, tuple)
    assert [row[:3] for row in seen if isinstance(row, tuple)] == [
        ("user_disconnected", SYSTEM, PLAYER),
        ("user_disconnected", SYSTEM, WIZARD),
    ]


# --- messages ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "lines"),
    [
        ("Hello!", ["Hello!"]),
        ("", [""]),
        (("a", 5, "b", ("c",)), ["a", "b"]),
        ((), []),
        (0, []),
        (PLAYER, []),
    ],
)
def test_messages_are_strings_or_lists_of_them_and_others_are_silence(
    tmp_path: Path, value: Any, lines: list[str]
) -> None:
    online = Online(
        tmp_path,
        options=dict.fromkeys(
            (
                "connect_msg",
                "create_msg",
                "boot_msg",
                "timeout_msg",
                "recycle_msg",
                "redirect_from_msg",
                "redirect_to_msg",
            ),
            value,
        ),
    )
    client = online.connect("#4")
    assert client.take_lines() == ["Welcome.", *lines]
    other = online.connect("#4")
    assert client.take_lines() == lines
    assert other.take_lines() == ["Welcome.", *lines]
    online.do("boot_player(#4);")
    assert other.take_lines() == lines
    new = online.connect("create")
    assert new.take_lines() == ["Welcome.", *lines]
    online.do("recycle(#7);")
    assert new.take_lines() == lines
    silent = online.connect()
    silent.take()
    online.process.advance(400)
    assert silent.take_lines() == lines


def test_a_handler_with_options_of_its_own_is_asked_alone(tmp_path: Path) -> None:
    online = Online(tmp_path, options={"connect_msg": "from #0", "boot_msg": "bye"})
    online.do(f"listen({HANDLER}, 8888, 1); return 0;")
    client = online.connect("#4", port=8888)
    assert client.take_lines() == ["Welcome.", "from #0"]
    online.do(
        f'add_property({HANDLER}, "server_options", #2, {{#3, "r"}});'
        'add_property(#2, "connect_msg", "from #6", {#3, "r"});'
    )
    client.close()
    client = online.connect("#4", port=8888)
    assert client.take_lines() == ["Welcome.", "from #6"]
    online.do("boot_player(#4);")
    assert client.take_lines() == ["*** Disconnected ***"]


def test_a_listening_point_without_messages_prints_none(online: Online) -> None:
    online.do(f"listen({HANDLER}, 8888); return 0;")
    client = online.connect("#4", port=8888)
    assert client.take_lines() == ["Welcome."]
    online.do("boot_player(#4);")
    assert client.take_lines() == []
    assert client.was_closed


# --- listening points ---------------------------------------------------------------


def test_listeners_stand_in_the_order_newest_first(online: Online) -> None:
    assert online.eval("return listeners();") == "{{#0, 7777, 1}}"
    assert online.eval(f"return listen({HANDLER}, 8888);") == "8888"
    assert online.eval("return listen(#1, 9999, {});") == "9999"
    assert online.eval("return listeners();") == (
        "{{#1, 9999, 0}, {#6, 8888, 0}, {#0, 7777, 1}}"
    )
    assert "LISTEN: #6 now listening on port 8888" in online.log
    online.do("unlisten(8888);")
    assert online.eval("return listeners();") == "{{#1, 9999, 0}, {#0, 7777, 1}}"
    assert "UNLISTEN: #6 no longer listening on port 8888" in online.log


def test_port_0_is_some_free_port(online: Online) -> None:
    port = int(online.eval("return listen(#0, 0);"))
    assert port > 0
    assert online.eval(f"return {{#0, {port}, 0}} in listeners();") == "1"


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("listen(#99, 8888)", "E_INVARG"),
        ("listen(#0, 7777)", "E_INVARG"),
        ('listen(#0, "8888")', "E_TYPE"),
        ("listen(#0, 8888.0)", "E_TYPE"),
        ("unlisten(8888)", "E_INVARG"),
        ('unlisten("7777")', "E_INVARG"),
    ],
)
def test_listening_is_refused_with_a_reason(
    online: Online, code: str, error: str
) -> None:
    assert online.eval(f"return `{code} ! ANY';") == error
    assert online.eval("return listeners();") == "{{#0, 7777, 1}}"


def test_a_port_that_the_system_refuses_is_e_quota_and_logged(online: Online) -> None:
    online.process.network.bind(8888)
    assert online.eval("return `listen(#0, 8888) ! ANY';") == "E_QUOTA"
    assert online.log[-1] == "*** Binding listening socket: Address already in use"


def test_only_wizards_listen(online: Online) -> None:
    player = online.connect("#4")
    player.take()
    assert online.eval("return `listen(#0, 8888) ! ANY';", player) == "E_PERM"
    assert online.eval("return `unlisten(7777) ! ANY';", player) == "E_PERM"


def test_connections_stay_and_keep_their_handler_after_unlisten(online: Online) -> None:
    online.do(f"listen({HANDLER}, 8888, 1); return 0;")
    client = online.connect("#4", port=8888)
    online.do("unlisten(8888);")
    client.take()
    assert online.eval("return 7;", client) == "7"
    online.seen()
    client.close()
    assert events(online) == [["user_client_disconnected", 6, 4]]


def test_the_login_of_another_listening_point_is_its_object_s(online: Online) -> None:
    online.do(f"listen({HANDLER}, 8888, 1); return 0;")
    online.do(
        f'set_verb_code({HANDLER}, "do_login_command", '
        '{"notify(player, tostr(this, verb));"});'
    )
    client = online.connect(port=8888)
    assert client.take_lines() == ["#6do_login_command"]


# --- names, times, options -----------------------------------------------------------


def test_a_connection_is_named_after_port_and_place(online: Online) -> None:
    assert online.eval("return connection_name(#3);") == (
        '"port 7777 from localhost, port 40002"'
    )


@pytest.mark.parametrize(
    "code",
    [
        "connection_name(#4)",
        "idle_seconds(#4)",
        "connected_seconds(#4)",
        "connected_seconds(#-3)",
        "connection_options(#4)",
        'set_connection_option(#4, "binary", 1)',
        'set_connection_option(#3, "nosuch", 1)',
        'connection_option(#3, "nosuch")',
        'set_connection_option(#3, "intrinsic-commands", "x")',
        "buffered_output_length(#4)",
        "output_delimiters(#4)",
    ],
)
def test_e_invarg_for_whom_or_what_there_is_not(online: Online, code: str) -> None:
    online.connect()
    assert online.eval(f"return `{code} ! ANY';") == "E_INVARG"


@pytest.mark.parametrize(
    "code",
    [
        "connection_name(#3)",
        "boot_player(#3)",
        "connection_options(#3)",
        'set_connection_option(#3, "binary", 1)',
        "buffered_output_length(#3)",
        'notify(#3, "x")',
    ],
)
def test_players_decide_on_their_own_connection_only(online: Online, code: str) -> None:
    player = online.connect("#4")
    player.take()
    assert online.eval(f"return `{code} ! ANY';", player) == "E_PERM"
    own = code.replace("#3", "#4")
    online.type(player, f";return `{own} ! ANY' == E_PERM;")
    assert {"0", "*** Disconnected ***"} & {*player.take_lines()}


def test_times_are_whole_seconds_since_login_and_since_the_last_line(
    online: Online,
) -> None:
    online.connect("#4")
    online.process.advance(90.7)
    assert online.eval("return {idle_seconds(#4), connected_seconds(#4)};") == (
        "{90, 90}"
    )
    assert online.eval("return {idle_seconds(#3), connected_seconds(#3)};") == "{0, 90}"


def test_a_clock_that_was_put_back_makes_times_invalid(online: Online) -> None:
    online.connect("#4")
    online.clock.advance(-100)
    assert online.eval("return `connected_seconds(#4) ! ANY';") == "E_INVARG"


def test_all_options_stand_in_the_order_of_the_c_server(online: Online) -> None:
    assert online.eval("return connection_options(#3);") == (
        '{{"binary", 0}, {"flush-command", ".flush"}, {"hold-input", 0}, '
        '{"disable-oob", 0}, {"intrinsic-commands", {".program", "PREFIX", "SUFFIX", '
        '"OUTPUTPREFIX", "OUTPUTSUFFIX"}}, {"client-echo", 1}}'
    )


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("HOLD-input", '{"x"}', "1"),
        ("hold-input", "#1", "0"),
        ("disable-oob", "1.5", "1"),
        ("flush-command", '"zap"', '"zap"'),
        ("flush-command", '""', '""'),
        ("flush-command", "5", '""'),
        ("intrinsic-commands", '{"SUFFIX", ".pr"}', '{".program", "SUFFIX"}'),
        ("intrinsic-commands", "0", "{}"),
        ("client-echo", "0", "0"),
    ],
)
def test_options_read_as_what_they_mean(
    online: Online, name: str, value: str, shown: str
) -> None:
    player = online.connect("#4")
    online.do(f'set_connection_option(#4, "{name}", {value});')
    assert online.eval(f'return connection_option(#4, "{name.upper()}");') == shown
    player.close()


def test_client_echo_sends_the_telnet_command_each_time(online: Online) -> None:
    client = online.connect("#4")
    client.take()
    for value, sent in (("0", 251), ("0", 251), ("1", 252), ('"yes"', 252)):
        online.do(f'set_connection_option(#4, "client-echo", {value});')
        assert client.take() == bytes([255, sent, 1])


def test_binary_mode_takes_portions_as_lines_and_sends_bytes(online: Online) -> None:
    client = online.connect("#4")
    client.take()
    online.do('set_connection_option(#4, "binary", 1);')
    online.do('notify(#4, "~00~FFx"); `notify(#4, "~") ! E_INVARG => 0\';')
    assert client.take() == b"\x00\xffx"
    client.send(b";#0.seen = 17;")
    online.process.run()
    assert client.take() == b"0"
    assert online.eval("return #0.seen;") == "17"


def test_the_server_s_own_lines_are_lines_in_binary_mode_too(online: Online) -> None:
    client = online.connect("#4")
    online.do('set_connection_option(#4, "binary", 1);')
    client.take()
    online.do("boot_player(#4);")
    assert client.take() == b"*** Disconnected ***\r\n"


# --- output ------------------------------------------------------------------------


def test_buffered_output_length_counts_what_waits(online: Online) -> None:
    assert online.eval("return buffered_output_length();") == "65536"
    online.connect("#4")
    assert online.eval('notify(#4, "abc"); return buffered_output_length(#4);') == "5"
    assert online.eval("return buffered_output_length(#4);") == "0"


def test_notify_drops_the_oldest_unless_told_not_to(online: Online) -> None:
    client = online.connect("#4")
    client.take()
    client.take_slowly(0)
    line = '"' + "x" * 998 + '"'
    assert online.eval(
        f"for i in [1..65] notify(#4, {line}); endfor "
        f"return {{notify(#4, {line}, 1), notify(#4, {line}, 0), "
        "buffered_output_length(#4), notify(#99, {line}, 1)};".replace("{line}", line)
    ) == ("{0, 1, 65000, 1}")
    client.take_slowly(10**6)
    lines = client.take_lines()
    assert lines[:2] == [
        "",
        ">> Network buffer overflow: 1 line of output to you has been lost <<",
    ]
    assert lines[2:] == ["x" * 998] * 65


def test_output_that_waits_goes_out_when_the_player_takes_it(online: Online) -> None:
    client = online.connect("#4")
    client.take()
    client.take_slowly(3)
    online.do('notify(#4, "abcdef");')
    assert client.take() == b"abc"
    assert online.eval("return buffered_output_length(#4);") == "5"
    client.take_slowly(100)
    assert client.take() == b"def\r\n"
    online.do('notify(#4, "g");')
    assert client.take() == b"g\r\n"


# --- too much input ------------------------------------------------------------------


def test_reading_stops_at_65536_bytes_and_begins_again_below_32768(
    online: Online,
) -> None:
    client = online.connect("#4")
    online.do('set_connection_option(#4, "hold-input", 1);')
    client.send((b"x" * 1022 + b"\r\n") * 70)
    online.process.run()
    wire = client._wire
    assert not wire.is_reading
    assert len(wire.inbox) < 7 * 1024
    assert (
        online.eval("for i in [1..33] read(#4); endfor return length(read(#4));")
        == "1022"
    )
    assert wire.is_reading
    online.process.run()
    assert not wire.inbox


def test_reading_stops_at_many_empty_lines_until_half_are_used(online: Online) -> None:
    client = online.connect("#4")
    online.do('set_connection_option(#4, "hold-input", 1);')
    client.send(b"\n" * 4 * MAX_QUEUED_LINES)
    online.process.run()
    assert not client._wire.is_reading
    left = len(client._wire.inbox)
    assert 4 * MAX_QUEUED_LINES - left <= MAX_QUEUED_LINES + 1024
    online.do('set_connection_option(#4, "hold-input", 0);')
    assert client._wire.is_reading
    assert not client._wire.inbox
    client.take()
    assert online.eval("return 5;", client) == "5"


def test_an_endless_line_is_dropped_and_the_player_told(online: Online) -> None:
    client = online.connect()
    client.take()
    client.send(b"x" * (MAX_LOGIN_LINE + 1) + b"\r\n#4\r\n")
    online.process.run()
    assert client.take_lines() == [
        f">> A line of more than {MAX_LOGIN_LINE} bytes has been dropped <<",
        "*** Connected ***",
    ]
    client.send(b"x" * (MAX_LINE + 1) + b"\r\n")
    online.process.run()
    assert client.take_lines() == [
        f">> A line of more than {MAX_LINE} bytes has been dropped <<"
    ]


# --- the end of all -------------------------------------------------------------------


def test_shutdown_tells_everybody_and_closes_without_a_verb(online: Online) -> None:
    unnamed = online.connect()
    unnamed.take()
    online.do("#0.seen = {};")
    online.type(online.wizard, ';shutdown("bye all"); notify(player, "last");')
    text = "*** Shutting down: shutdown() called by Wizard (#3): bye all ***"
    assert unnamed.take_lines() == [text]
    assert online.wizard.take_lines() == ["last", "0", text]
    assert unnamed.was_closed
    assert online.wizard.was_closed
    assert online.process.has_stopped
    at = online.log.index("SHUTDOWN: shutdown() called by Wizard (#3): bye all")
    assert online.log[at + 1] == f"DUMPING on {online.output}.#1# ..."
    saved = load_file(online.output).world
    assert value_of(saved, SYSTEM, "seen") == ()


def test_shutdown_reaches_even_whoever_does_not_read(online: Online) -> None:
    client = online.connect("#4")
    client.take()
    client.take_slowly(0)
    for _ in range(3):
        online.do('for i in [1..40] notify(#4, "' + "x" * 900 + '"); endfor')
    online.process.shut_down()
    assert online.process.has_stopped
    assert client.was_closed
