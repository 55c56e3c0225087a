"""How a command ends that cannot do what it is asked: what it says, and its status."""

from __future__ import annotations

from typing import IO, Any, Final

import click

FINDINGS: Final = 1
UNUSABLE: Final = 2


def say(error: object) -> None:
    """Tell of an error, on standard error."""
    click.echo(f"pymoo: {error}", err=True)


class Refusal(click.ClickException):
    """Ends a command that was used wrongly, or cannot use what it is given."""

    exit_code = UNUSABLE

    def show(self, file: IO[Any] | None = None) -> None:
        say(self.message)


class Finding(Refusal):
    """Ends a command that has found what it is about not to be so."""

    exit_code = FINDINGS
