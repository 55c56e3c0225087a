"""What becomes of what a task has changed when it fails.

``keep`` is what LambdaMOO does: all of it stays.  ``rollback`` undoes the slice in
which the task failed, back to its last suspend, read or commit; the traceback is
printed nevertheless.  The database chooses with ``$server_options.error_policy`` and
``abort_policy``, a task for itself with task_policy().
"""

from __future__ import annotations

from typing import Final

from attrs import evolve, field, frozen

from pymoo.values import Value, fold

KEEP: Final = "keep"
ROLLBACK: Final = "rollback"


class UnknownChoiceError(ValueError):
    """A policy was to be something else than `KEEP` or `ROLLBACK`."""

    def __init__(self, name: str, value: Value) -> None:
        super().__init__(f'The {name} policy must be "{KEEP}" or "{ROLLBACK}"')
        self.value = value


@frozen
class Policy:
    """The choices for one task or database: KEEP or ROLLBACK."""

    error: str = KEEP  # after an error that nobody caught
    abort: str = KEEP  # when the task has run out of ticks or seconds
    is_atomic: bool = field(init=False)
    """Whether a slice may be undone, so that nothing may get out before its end."""

    @is_atomic.default
    def _follow(self) -> bool:
        return ROLLBACK in (self.error, self.abort)

    def with_choices(self, error: Value | None, abort: Value | None) -> Policy:
        """Return this policy with others for those that are not None.

        Raises: UnknownChoiceError for anything but the two words.
        """
        return evolve(
            self,
            error=self.error if error is None else _choice("error", error),
            abort=self.abort if abort is None else _choice("abort", abort),
        )


def _choice(name: str, value: Value) -> str:
    word = fold(value) if type(value) is str else ""
    if word not in (KEEP, ROLLBACK):
        raise UnknownChoiceError(name, value)
    return word


CLASSIC: Final = Policy()
