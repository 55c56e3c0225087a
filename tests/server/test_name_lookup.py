"""Names of computers, found while nobody waits."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

import pytest

from pymoo.server import name_lookup
from pymoo.server.name_lookup import (
    KEPT_FOR_S,
    MAX_KEPT,
    MAX_WAITING,
    NameLookup,
    system_name,
)
from pymoo.tasks.clock import ManualClock

PATIENCE_S = 60


class Resolver:
    """Answers when it is allowed to; counts what it was asked."""

    def __init__(self) -> None:
        self.asked: SimpleQueue[str] = SimpleQueue()
        self.allowed = threading.Semaphore(0)
        self.answers: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self.clock = ManualClock()
        self.lookup = NameLookup(self.clock, find=self.find, answer_in=self.answers.put)
        self.got: list[str | None] = []

    def find(self, address: str) -> str | None:
        self.asked.put(address)
        assert self.allowed.acquire(timeout=PATIENCE_S)
        return None if address == "nameless" else f"host-{address}"

    def ask(self, address: str) -> None:
        self.lookup.ask(address, self.got.append)

    def settle(self, count: int = 1) -> None:
        """Let so many look-ups end, and bring the answers."""
        for _ in range(count):
            self.allowed.release()
        for _ in range(count):
            self.answers.get(timeout=PATIENCE_S)()


@pytest.fixture
def resolver() -> Resolver:
    return Resolver()


def test_an_answer_comes_later_and_from_the_asker_s_thread(resolver: Resolver) -> None:
    resolver.ask("a")
    assert resolver.got == []
    resolver.settle()
    assert resolver.got == ["host-a"]


def test_an_address_without_a_name_has_none(resolver: Resolver) -> None:
    resolver.ask("nameless")
    resolver.settle()
    assert resolver.got == [None]


def test_many_questions_about_one_address_are_asked_once(resolver: Resolver) -> None:
    for _ in range(50):
        resolver.ask("a")
    resolver.settle()
    assert resolver.got == ["host-a"] * 50
    assert resolver.asked.qsize() == 1


def test_an_answer_is_used_again_for_a_while(resolver: Resolver) -> None:
    resolver.ask("a")
    resolver.settle()
    resolver.clock.advance(KEPT_FOR_S - 1)
    resolver.ask("a")
    assert resolver.got == ["host-a"] * 2
    resolver.clock.advance(1)
    resolver.ask("a")
    assert len(resolver.got) == 2
    resolver.settle()
    assert len(resolver.got) == 3
    assert resolver.asked.qsize() == 2


def test_a_clock_that_was_put_back_does_not_keep_an_answer_for_ever(
    resolver: Resolver,
) -> None:
    resolver.ask("a")
    resolver.settle()
    resolver.clock.advance(-1000)
    resolver.ask("a")
    assert len(resolver.got) == 1
    resolver.settle()


def test_one_slow_name_does_not_hold_up_the_others(resolver: Resolver) -> None:
    resolver.ask("slow")
    assert resolver.asked.get(timeout=PATIENCE_S) == "slow"
    resolver.ask("b")
    assert resolver.asked.get(timeout=PATIENCE_S) == "b"
    resolver.settle(2)
    assert sorted(map(str, resolver.got)) == ["host-b", "host-slow"]


def test_when_too_many_wait_the_others_have_no_name(resolver: Resolver) -> None:
    for number in range(MAX_WAITING + 5):
        resolver.ask(str(number))
    assert resolver.got == [None] * 5
    resolver.settle(MAX_WAITING)
    assert len(resolver.got) == MAX_WAITING + 5


def test_only_so_many_answers_are_kept(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_KEPT == 1_000
    monkeypatch.setattr(name_lookup, "MAX_KEPT", 3)
    for number in range(5):
        resolver.ask(str(number))
        resolver.settle()
    for number in (4, 3, 2):
        resolver.ask(str(number))
    assert len(resolver.got) == 8
    resolver.ask("1")
    assert len(resolver.got) == 8
    resolver.settle()


def test_the_threads_are_few_and_end_with_the_process(resolver: Resolver) -> None:
    before = threading.active_count()
    for number in range(100):
        resolver.ask(str(number))
    assert threading.active_count() - before <= 4
    assert all(
        thread.daemon for thread in threading.enumerate() if "look-up" in thread.name
    )
    resolver.settle(100)


def test_a_server_that_has_ended_gets_no_answers() -> None:
    def nobody(answer: Callable[[], None]) -> None:
        ended.set()
        raise RuntimeError("Event loop is closed")

    ended = threading.Event()
    lookup = NameLookup(ManualClock(), find=lambda address: address, answer_in=nobody)
    lookup.ask("a", lambda name: None)
    assert ended.wait(PATIENCE_S)


def test_the_system_knows_this_machine_and_says_none_for_nonsense() -> None:
    assert system_name("127.0.0.1")
    assert system_name("no such address \udcff") is None
