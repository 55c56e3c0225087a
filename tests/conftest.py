"""Settings and fixtures of the whole suite."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests import stress_differences
from tests.shared_material import HAVE_SHARED, SHARED

if TYPE_CHECKING:
    from tests.fakes import Bench, Run

settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("long", deadline=None, max_examples=20_000)
# Nothing that an earlier run has compiled, and nothing written into the user's folder.
os.environ["PYMOO_CODE_CACHE"] = "none"

# What tests start is to end by these, though nohup, or a shell in the background, has
# started the tests with them ignored.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGQUIT, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def pytest_report_header(config: pytest.Config) -> str:
    if HAVE_SHARED:
        return f"recordings of the reference server: {SHARED}"
    return (
        "WARNING: the recordings of the reference server are NOT here "
        f"({SHARED}): every test that compares with them is skipped. "
        "Set PYMOO_SHARED to the folder that holds them."
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    stress_differences.mark(items)


@pytest.fixture(params=["walker", "compiled"])
def bench(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """A small world under the profile `lambdamoo`, in either tier."""
    from pymoo.interp.tiering import SWITCH
    from tests.fakes import Bench

    monkeypatch.setenv(SWITCH, request.param)
    return Bench()


@pytest.fixture
def run(bench: Bench) -> Run:
    """``run(code)`` runs a program as the wizard."""
    return bench.run
