"""How commands end: their status, and what is said if they cannot do what is asked."""

from __future__ import annotations

from typing import IO, Any, Final

import click

FINE: Final = 0
"""All is well."""

FINDINGS: Final = 1
"""Something is not as it should be, and was told."""

FAILED: Final = 1
"""What was to be run has failed."""

ABORTED: Final = 1
"""A server was not started: ``abort`` was typed in emergency mode."""

UNSAVED: Final = 1
"""A server was not to wait until its last dump succeeds."""

CLASSIC_USAGE: Final = 1
"""The classic form was used wrongly; as the C server has it."""

UNUSABLE: Final = 2
"""What was given cannot be used."""

NOT_SAVED: Final = 2
"""Saving was asked for, and could not be done."""

INTERRUPTED: Final = 130
"""Ctrl-C was typed; as shells have it."""


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
