"""What a server offers, for suites that leave out cases by that.

A profile answers the questions ``option.X`` and ``feature.X`` of
moo-conformance-tests.  Ours are here; that of another server is a JSON file with
the same keys and true or false.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from attrs import frozen

from pymoo.conform.cases import CaseError

_LAMBDAMOO: Final = {
    "option.OUTBOUND_NETWORK": False,
    "option.PROMOTE_NUMBERS": False,
    "option.ONLY_32_BITS": True,
    "feature.64bit": False,
    "feature.maps": False,
    "feature.anonymous": False,
    "feature.index_extensions": False,
    "feature.fork": True,
    "feature.forking": True,
    "feature.tasks": True,
    "feature.exec_support": False,
    "feature.command_dispatch": True,
    "feature.server_options": True,
    "feature.connectable_listener_port": True,
    "feature.ephemeral_listen": True,
}


@frozen
class Profile:
    """A server's answers; ``dialect`` is that of a server in this process."""

    name: str
    dialect: str
    answers: Mapping[str, bool]

    def has(self, question: str) -> bool:
        """Whether ``option.X`` or ``feature.X`` holds; what is unknown does not."""
        if question == "feature.64bit" and question not in self.answers:
            return not self.answers.get("option.ONLY_32_BITS", False)
        return self.answers.get(question, False)


PROFILES: Final = {
    name: Profile(name, name, _LAMBDAMOO) for name in ("lambdamoo", "pymoo")
}


def profile(name: str) -> Profile:
    """Return a profile by its name, or from a JSON file.

    Raises: CaseError.
    """
    if name in PROFILES:
        return PROFILES[name]
    path = Path(name)
    try:
        answers = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CaseError(
            f"profile {name!r}: neither one of {', '.join(PROFILES)} nor a JSON file: "
            f"{error}"
        ) from error
    if not isinstance(answers, dict) or not all(
        isinstance(value, bool) for value in answers.values()
    ):
        raise CaseError(
            f"{path}: expected a mapping of option.X or feature.X to true or false"
        )
    return Profile(path.stem, "pymoo", answers)
