"""What server_version() says."""

from __future__ import annotations

import pytest

from pymoo import __version__
from pymoo.errors import MooError
from pymoo.lang.dialect import LAMBDAMOO, dialect
from pymoo.server.version import Version, python_name
from pymoo.values import E_INVARG, Obj, Value


def details(topic: Value, name: str = "lambdamoo", outbound: bool = False) -> Value:
    return Version(dialect(name), outbound=outbound).details(topic)


def test_the_version_is_the_one_of_the_server_that_it_behaves_like() -> None:
    assert Version(LAMBDAMOO).text == "1.8.3+"


@pytest.mark.parametrize("topic", [0, 1, "", (), Obj(3)])
def test_any_topic_but_a_name_means_everything(topic: Value) -> None:
    everything = details(topic)
    assert isinstance(everything, tuple)
    names = [row[0] for row in everything if isinstance(row, tuple)]
    assert names == [
        "major",
        "minor",
        "release",
        "ext",
        "string",
        "features",
        "options",
        "source",
    ]


@pytest.mark.parametrize(
    ("topic", "answer"),
    [
        ("major", 1),
        ("minor", 8),
        ("release", 3),
        ("ext", "+"),
        ("string", "1.8.3+"),
        ("features", ()),
        ("options/DEFAULT_PORT", 7777),
        ("options/OUTBOUND_NETWORK", Obj(-1)),
        ("options/MAX_QUEUED_OUTPUT", 65536),
        ("options/STRING_INTERNING", (0,)),
        ("options/OUT_OF_BAND_PREFIX", "#$#"),
    ],
)
def test_a_topic_is_a_path(topic: str, answer: Value) -> None:
    assert details(topic) == answer


@pytest.mark.parametrize(
    "topic", ["nosuch", "MAJOR", "major/x", "options/nosuch", "/", "pymoo"]
)
def test_unknown_topics_are_e_invarg(topic: str) -> None:
    with pytest.raises(MooError) as caught:
        details(topic)
    assert caught.value.code == E_INVARG


def test_outbound_connections_show_in_the_options() -> None:
    assert details("options/OUTBOUND_NETWORK", outbound=True) == "ON"


def test_the_dialect_pymoo_tells_what_it_is() -> None:
    assert details("pymoo/version", "pymoo") == __version__
    assert details("pymoo/python", "pymoo") == python_name()
    assert details("string", "pymoo") == "1.8.3+"
    assert details("options/DEFAULT_FG_TICKS", "pymoo") == 60_000
    assert details("options/DEFAULT_FG_TICKS") == 30_000
