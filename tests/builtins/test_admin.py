"""Built-in functions on the server itself."""

from __future__ import annotations

from tests.builtins.asking import PAT, Asker


def test_server_log_marks_errors(ask: Asker) -> None:
    ask.run('server_log("one"); server_log("two", 1); server_log("three", {});')
    assert ask.bench.host.server.logged[-3:] == ["> one", "*** > two", "> three"]


def test_shutdown_says_who_and_why(ask: Asker) -> None:
    ask.run("shutdown();")
    assert ask.bench.host.server.shutdown == "shutdown() called by Wizard (#3)"
    ask.run('shutdown("rest");')
    reason = "shutdown() called by Wizard (#3): rest"
    assert ask.bench.host.server.shutdown == reason


def test_dump_database_asks_for_a_checkpoint(ask: Asker) -> None:
    assert ask("dump_database()") == "0"
    assert ask.bench.host.server.checkpoints == 1


def test_load_server_options_is_logged(ask: Asker) -> None:
    assert ask("load_server_options()") == "0"
    assert ask.bench.host.server.logged[-1] == (
        "Loaded protect cache for 128 builtin functions"
    )
    assert ask("load_server_options()", PAT) == "! E_PERM"


def test_server_version_knows_topics(ask: Asker) -> None:
    assert ask("server_version()") == '"1.8.3+"'
    assert ask('server_version("no such topic")') == "! E_INVARG"


def test_verb_cache_statistics_have_17_depths(ask: Asker) -> None:
    assert ask("length(verb_cache_stats())") == "5"
    assert ask("length(verb_cache_stats()[5])") == "17"
    assert ask("log_cache_stats()") == "0"
    assert "Depth   Count" in ask.bench.host.server.logged
