"""What the commands of players cost the server: each kind, and all of them mixed.

The server is a process of its own, to which the players connect as everybody does;
what is counted is the CPU time of that process, so the work of the players is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from random import Random
from typing import TYPE_CHECKING, Final

from pymoo.bench.cases import Case, Sample, Tier
from pymoo.bench.commands import REPERTOIRES, Kind, Repertoire, Role, Step

if TYPE_CHECKING:
    from pymoo.bench.crowd import Crowd
    from pymoo.bench.served import Served
    from pymoo.bench.session import Session

_CARDS_PER_PLAYER: Final = 3
_WARM_UP_ROUNDS: Final = 4  # what is hot is compiled at its hundredth call


def scripts(
    repertoire: Repertoire, roles: Sequence[Role], lines: int
) -> list[list[Step]]:
    """Return scripts for a crowd: whole decks, in which each kind has its weight.

    There are ``lines`` lines in them at least, and a few scripts for each player.
    The same arguments always give the same.
    """
    random = Random(len(roles))
    deck = [kind for kind in repertoire.kinds.values() for _ in range(kind.weight)]
    in_deck = sum(len(kind.lines) for kind in deck)
    decks = max(-(-lines // in_deck), -(-len(roles) * _CARDS_PER_PLAYER // len(deck)))
    dealt: list[Kind] = []
    for _ in range(decks):
        random.shuffle(deck)
        dealt += deck
    return [
        kind.steps(roles[number % len(roles)], random)
        for number, kind in enumerate(dealt)
    ]


@contextmanager
def _mix(session: Session, tier: Tier, players: int) -> Iterator[Sample]:
    repertoire = session.repertoire
    assert repertoire is not None
    with session.crowd(players, tier) as (served, crowd):
        round_ = scripts(repertoire, crowd.roles, session.lines_per_round)
        yield _per_line(served, crowd, round_)


@contextmanager
def _command(session: Session, tier: Tier, name: str) -> Iterator[Sample]:
    repertoire = session.repertoire
    assert repertoire is not None
    served, crowd = session.single_player(tier)
    kind = repertoire.kinds[name]
    random = Random(name)
    times = max(1, session.lines_per_round // 4 // len(kind.lines))
    round_ = [kind.steps(crowd.roles[0], random) for _ in range(times)]
    yield _per_line(served, crowd, round_)


def _per_line(served: Served, crowd: Crowd, round_: Sequence[Sequence[Step]]) -> Sample:
    """Return what plays a round, once it is warm, and tells the CPU time of a line."""

    def sample() -> float:
        before = served.cpu_seconds
        lines = crowd.play(round_)
        return (served.cpu_seconds - before) / lines

    for _ in range(_WARM_UP_ROUNDS):
        crowd.play(round_)
    return sample


def lack_of_commands(session: Session) -> str:
    """Return "" if players of the database can be measured."""
    if session.repertoire is not None:
        return ""
    return f"the commands of {' or '.join(each.core for each in REPERTOIRES)}"


def mix_cases(players: Sequence[int]) -> list[Case]:
    """Return the mix for each number of players."""

    def case(count: int) -> Case:
        def prepare(session: Session, tier: Tier) -> AbstractContextManager[Sample]:
            return _mix(session, tier, count)

        crowd = "1 player" if count == 1 else f"{count:,} players"
        return Case(
            "mix",
            str(count),
            "command",
            f"the command mix of {crowd}",
            prepare,
            lack=lack_of_commands,
        )

    return [case(count) for count in players]


def command_cases() -> list[Case]:
    """Return each kind of command, of whichever core."""

    def case(name: str, kind: Kind) -> Case:
        def prepare(session: Session, tier: Tier) -> AbstractContextManager[Sample]:
            return _command(session, tier, name)

        def lack(session: Session) -> str:
            if session.repertoire is not None and name in session.repertoire.kinds:
                return ""
            return lack_of_commands(session) or f"the command {kind.summary!r}"

        return Case(
            "commands",
            name,
            "command",
            kind.summary,
            prepare,
            lack=lack,
        )

    kinds = {
        name: kind
        for repertoire in reversed(REPERTOIRES)
        for name, kind in repertoire.kinds.items()
    }
    return [case(name, kind) for name, kind in kinds.items()]
