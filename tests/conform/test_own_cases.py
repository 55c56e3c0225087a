"""The project's own cases, put to our own server in this process."""

from __future__ import annotations

import pytest

from pymoo.conform.inprocess import InProcessLauncher
from pymoo.conform.own import topic_text
from pymoo.conform.own_suite import read_own
from pymoo.conform.report import Report
from pymoo.conform.run import chosen, own_cases, read_suites, run

TOPICS = read_own(own_cases()).topics
GROUPS = [
    topic.path.relative_to(own_cases()).with_suffix("").as_posix() for topic in TOPICS
]


@pytest.fixture(scope="module")
def report() -> Report:
    return run(chosen(read_suites([])), InProcessLauncher("lambdamoo"))


@pytest.mark.parametrize("group", GROUPS)
def test_every_answer_is_the_recorded_one(report: Report, group: str) -> None:
    failures = [r for r in report.failures if r.case.group == group]
    assert not failures, "\n".join(map(report.failure_text, failures))


def test_every_case_was_put(report: Report) -> None:
    assert report.skipped == 0
    assert len(report.results) == sum(len(topic.cases) for topic in TOPICS) > 2000


@pytest.mark.parametrize("topic", TOPICS, ids=GROUPS)
def test_files_are_laid_out_as_recording_would(topic: object) -> None:
    path = topic.path  # type: ignore[attr-defined]
    assert path.read_text("utf-8") == topic_text(topic.row)  # type: ignore[attr-defined]
