"""What a task is: a function, and what to call it with.

`task` turns a function into a factory; calling the factory makes a `Task`, a value
that can be kept, given to other tasks, and run.  A task that returns another one goes
on with that one: a tail call, which needs neither stack nor room.

`chain`, `group` and `Task.then` make one task of several.  What they mean when run
inline is said here (`Task.call_now`); what they mean for a job, in `branches`.

``task.py`` does not know how values are written (`packing`) or where jobs are
(`store`), except to hand itself over.
"""

from __future__ import annotations

import functools
import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, ParamSpec, overload

from attrs import define, field, frozen

from pymoo.jobs.errors import JobError, JobValueError

if TYPE_CHECKING:
    from pymoo.jobs.record import Job
    from pymoo.values import Obj

P = ParamSpec("P")

# What combines tasks; no function is named so, for those have a colon.
CHAIN: Final = "chain"
GROUP: Final = "group"
THEN: Final = "then"
COMBINATIONS: Final = (CHAIN, GROUP, THEN)


@frozen(eq=False, repr=False)
class Task:
    """A call that has not been made: an immutable value.

    ``function`` is ``package.module:name``, or how its arguments, which are tasks
    then, are combined; ``version`` is the one that the function had.

    Two are equal if what would be kept of them is.
    """

    function: str
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(factory=dict)
    version: int = 1

    @property
    def is_combination(self) -> bool:
        """Whether this is a `chain`, a `group` or made by `then`."""
        return self.function in COMBINATIONS

    def call_now(self) -> Any:
        """Run it here and now, to its end, and return its result.

        The parts of a group are run one after the other; for a job they take turns.
        Raises: what the functions raise; JobError if one cannot be found.
        """
        return _call_now(self)

    def delay(self, *, owner: Obj | None = None) -> Job:
        """Queue it in the current store and return the job as stored, at once.

        Raises: JobError without a current store (`JobStore.current`), or if the
            description cannot be made; JobValueError; JobStoreError.
        """
        from pymoo.jobs.store import current_store

        return current_store().add(self, owner=owner)

    def then(
        self, following: TaskFactory[...], *arguments: Any, **keywords: Any
    ) -> Task:
        """Return a task that gives the result of this one to ``following``.

        Its first argument is the result, others can be given here.
        """
        if not isinstance(following, TaskFactory):
            raise TypeError(f"then() takes what @task has made, not {following!r}")
        following.check_arguments((None, *arguments), keywords)
        before = self.arguments if self.function == THEN else (self,)
        last = following.task_of(arguments, keywords)
        return Task(THEN, (*before, last))

    def given(self, result: Any) -> Task:
        """Return the same call with ``result`` as its first argument."""
        return Task(
            self.function, (result, *self.arguments), self.keywords, self.version
        )

    def check_importable(self) -> None:
        """Raise JobValueError if a new process could not find the function."""
        module, _, name = self.function.partition(":")
        if module == "__main__" or "<" in name:
            raise JobValueError(
                f"{self.function} could not be found by another process: define it "
                "at the top of a module that can be imported"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Task):
            return NotImplemented
        from pymoo.jobs.packing import pack

        return self is other or (
            self.function == other.function and pack(self) == pack(other)
        )

    def __hash__(self) -> int:
        return hash((self.function, len(self.arguments)))

    def __repr__(self) -> str:
        from pymoo.jobs.packing import shown

        return shown(self)


@define(eq=False, slots=False)
class TaskFactory(Generic[P]):
    """A function that has become a maker of tasks; `task` says what else is said."""

    function: Callable[P, Any]
    reference: str
    description: str | None = None
    percent: Callable[..., Any] | None = None
    metadata: Callable[..., Any] | None = None
    version: int = 1
    migrate: Callable[..., Task] | None = None
    repeatable: bool = False
    # How many arguments fit if there are no keywords; saves inspecting each call.
    _least: float = field(default=0, init=False)
    _most: float = field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        functools.update_wrapper(self, self.function, updated=())
        kinds = inspect.Parameter
        for each in inspect.signature(self.function).parameters.values():
            is_needed = each.default is each.empty
            if each.kind in (kinds.POSITIONAL_ONLY, kinds.POSITIONAL_OR_KEYWORD):
                self._most += 1
                self._least += is_needed
            elif each.kind is kinds.VAR_POSITIONAL:
                self._most = float("inf")
            elif each.kind is kinds.KEYWORD_ONLY and is_needed:
                self._least = float("inf")

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Task:
        """Return the task of calling the function with these; it is not called.

        Raises: TypeError if they do not fit.
        """
        self.check_arguments(args, kwargs)
        return Task(self.reference, args, kwargs, self.version)

    def call_now(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Run it here and now: ``factory(...).call_now()``."""
        return self(*args, **kwargs).call_now()

    def delay(self, *args: P.args, **kwargs: P.kwargs) -> Job:
        """Queue it: ``factory(...).delay()``."""
        return self(*args, **kwargs).delay()

    def task_of(self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]) -> Task:
        """Return a task whose first arguments are still to come."""
        return Task(self.reference, arguments, keywords, self.version)

    @property
    def argument_counts(self) -> tuple[float, float]:
        """How many arguments fit at least and at most, if they have no names."""
        return self._least, self._most

    def named(self, task: Task) -> dict[str, Any]:
        """Return what the parameters of the function will be, by name."""
        bound = inspect.signature(self.function).bind(*task.arguments, **task.keywords)
        bound.apply_defaults()
        extra = next(
            (
                each.name
                for each in bound.signature.parameters.values()
                if each.kind is each.VAR_KEYWORD
            ),
            "",
        )
        return {**bound.arguments, **bound.arguments.get(extra, {})}

    def check_arguments(
        self, arguments: tuple[Any, ...], keywords: Mapping[str, Any]
    ) -> None:
        """Raise TypeError if the function does not take these."""
        if keywords or not self._least <= len(arguments) <= self._most:
            try:
                inspect.signature(self.function).bind(*arguments, **keywords)
            except TypeError as error:
                raise TypeError(f"{self.reference}: {error}") from None


@overload
def task(function: Callable[P, Any], /) -> TaskFactory[P]: ...
@overload
def task(
    *,
    description: str | None = None,
    percent: Callable[..., Any] | None = None,
    metadata: Callable[..., Any] | None = None,
    version: int = 1,
    migrate: Callable[..., Task] | None = None,
    repeatable: bool = False,
) -> Callable[[Callable[P, Any]], TaskFactory[P]]: ...
def task(
    function: Callable[P, Any] | None = None,
    /,
    *,
    description: str | None = None,
    percent: Callable[..., Any] | None = None,
    metadata: Callable[..., Any] | None = None,
    version: int = 1,
    migrate: Callable[..., Task] | None = None,
    repeatable: bool = False,
) -> Any:
    """Turn a function into a factory of tasks.

    ``description`` is a format string for the arguments, by place or by the name of
    their parameter: ``"copies {0} to {folder}"``.
    ``percent`` and ``metadata`` are called with the arguments: one tells how much is
    done when these come next, 0 to 100, the other gives a dict that is shown with the
    job.

    ``version`` is kept with each task.  If a kept task has an older one,
    ``migrate(version, *arguments, **keywords)`` returns the task to run instead;
    without ``migrate`` the function must still take what the older one took.

    Each call is a step that is recorded.  Those of a ``repeatable`` function are not
    recorded one by one: a step goes on with what it returns for as long as a step may
    last, and if it is killed, all of them are made again.
    """
    if function is None:
        return functools.partial(
            _factory,
            description=description,
            percent=percent,
            metadata=metadata,
            version=version,
            migrate=migrate,
            repeatable=repeatable,
        )
    return _factory(function)


def _factory(function: Callable[P, Any], **about: Any) -> TaskFactory[P]:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise TypeError(
            f"{function.__qualname__} is a coroutine or a generator: a task is a plain "
            "function; return the next task instead of waiting"
        )
    reference = f"{function.__module__}:{function.__qualname__}"
    return TaskFactory(function, reference, **about)


# --- several in one -------------------------------------------------------------


def chain(tasks: Iterable[Task]) -> Task:
    """Return a task that runs these one after the other; the last result is its own.

    Each may take many steps.  Raises: JobError if there are none.
    """
    return Task(CHAIN, _tasks(tasks, "chain"))


def group(tasks: Iterable[Task]) -> Task:
    """Return a task that runs these in turns; its result has theirs, in a tuple.

    An error in one ends them all.
    """
    return Task(GROUP, _tasks(tasks, "group"))


def _tasks(tasks: Iterable[Task], name: str) -> tuple[Task, ...]:
    found = tuple(tasks)
    for each in found:
        if not isinstance(each, Task):
            raise TypeError(f"{name}() takes tasks, not {each!r}")
    if not found and name == CHAIN:
        raise JobError("chain() of nothing would have no result")
    return found


# --- functions of tasks ---------------------------------------------------------


def factory_of(task: Task) -> TaskFactory[...]:
    """Return what has made ``task``, imported if need be.

    Raises: whatever importing it raises, AttributeError if it is gone, JobError if
        it is not a task any more.
    """
    module_name, colon, name = task.function.partition(":")
    if not colon:
        raise JobError(f"{task.function!r} is not the name of a function")
    found: Any = importlib.import_module(module_name)
    for part in name.split("."):
        found = getattr(found, part)
    if not isinstance(found, TaskFactory):
        raise JobError(f"{task.function} is not a task: put @task before it")
    return found


def current_version(task: Task) -> tuple[TaskFactory[...], Task]:
    """Return what to call, and with what, for a task that may be older than that.

    Raises: as `factory_of`; JobError if it cannot be brought up to date; TypeError
        if its arguments do not fit any more; what `migrate` raises.
    """
    factory = factory_of(task)
    if task.version < factory.version and factory.migrate is not None:
        found = factory.migrate(task.version, *task.arguments, **task.keywords)
        if not isinstance(found, Task) or found.is_combination:
            raise JobError(
                f"{task.function}: migrate= returned {found!r} for version "
                f"{task.version}; expected a task of one function"
            )
        task, factory = found, factory_of(found)
    if task.version > factory.version:
        raise JobError(
            f"{task.function}: kept with version {task.version}, which is newer than "
            f"{factory.version}: run it with the newer program"
        )
    factory.check_arguments(task.arguments, task.keywords)
    return factory, task


@define(eq=False)
class _Combined:
    """Parts that are being run inline."""

    how: str
    rest: Iterator[Task]
    results: list[Any] = field(factory=list)


def _call_now(task: Task) -> Any:
    around: list[_Combined] = []
    result: Any = task
    while True:
        while isinstance(result, Task):
            if result.is_combination:
                around.append(_Combined(result.function, iter(result.arguments)))
                if result.arguments:
                    result = next(around[-1].rest)
                else:
                    around.pop()
                    result = ()
            else:
                factory, call = current_version(result)
                result = factory.function(*call.arguments, **call.keywords)
        if not around:
            return result
        parts = around[-1]
        if parts.how == GROUP:
            parts.results.append(result)
        following = next(parts.rest, None)
        if following is None:
            around.pop()
            if parts.how == GROUP:
                result = tuple(parts.results)
        else:
            result = following.given(result) if parts.how == THEN else following
