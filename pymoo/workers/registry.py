"""The functions that are workers, and how one of them is called."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final, NamedTuple, TypeVar

from pymoo.errors import MooError, PymooError
from pymoo.values import E_ARGS, E_INVARG, E_QUOTA, Value, fold
from pymoo.workers.coding import CodingError, Reader, TooBigError, to_json

F = TypeVar("F", bound=Callable[..., Any])


class _Registered(NamedTuple):
    name: str
    function: Callable[..., Any]
    signature: inspect.Signature | None


_functions: Final[dict[str, _Registered]] = {}  # by folded name

_reader: Final = Reader()


class ModuleError(PymooError):
    """A module of workers cannot be used."""


def worker(name: str) -> Callable[[F], F]:
    """Make a function the worker for ``worker_request(name, ...)``.

    It gets the arguments as MOO values and returns one; a `MooError` that it raises is
    raised in the MOO program.  Any other exception is E_INVARG there.

    Raises: ModuleError if there is a worker of that name.
    """

    def register(function: F) -> F:
        other = _functions.get(fold(name))
        # A module that is loaded again defines its functions again.
        if other is not None and _place(other.function) != _place(function):
            places = f"{_place(other.function)} and {_place(function)}"
            raise ModuleError(f"there are two workers {name!r}: {places}")
        try:
            signature = inspect.signature(function)
        except ValueError:  # some functions in C do not tell theirs
            signature = None
        _functions[fold(name)] = _Registered(name, function, signature)
        return function

    return register


def _place(function: Callable[..., Any]) -> str:
    name = getattr(function, "__qualname__", repr(function))
    return f"{function.__module__}.{name}"


def load(modules: Iterable[str]) -> tuple[str, ...]:
    """Import modules; return the names of all workers there are.

    Raises: ModuleError.
    """
    for module in modules:
        try:
            import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise _broken(module, error) from error
            raise ModuleError(
                f"there is no module {module!r} of workers: is its folder in "
                "PYTHONPATH, or the current one?"
            ) from error
        except (ModuleError, MemoryError):
            raise
        except Exception as error:
            raise _broken(module, error) from error
    names = tuple(each.name for each in _functions.values())
    if not names:
        raise ModuleError(
            f"no workers in {', '.join(modules)}: functions become workers by "
            "@pymoo.workers.worker"
        )
    return names


def _broken(module: str, error: Exception) -> ModuleError:
    lines = "".join(traceback.format_exception(error))
    return ModuleError(f"the module {module!r} of workers fails:\n{lines}".rstrip())


def perform(kind: str, arguments: Any, max_bytes: int) -> dict[str, Any]:
    """Return the answer to a request, both as they are sent.

    ``{"value": ...}``, or ``{"error": [code, message, value]}``; with ``log`` what is
    for whoever keeps the server.

    Raises: MemoryError, and what is no `Exception`, such as SystemExit.
    """
    known = _functions.get(fold(kind))
    if known is None:
        return failure(E_INVARG, f"There is no worker {kind!r} any more")
    name, function, signature = known
    try:
        given = _reader.value(arguments)
        assert type(given) is tuple
    except CodingError as error:
        return failure(E_INVARG, f"{name}: the request is not MOO's: {error}")
    if signature is not None:
        try:
            signature.bind(*given)
        except TypeError as error:
            return failure(E_ARGS, f"{name}: {error}")
    try:
        return {"value": to_json(function(*given), max_bytes // 2)}
    except MooError as error:
        return _raised(name, error, max_bytes)
    except TooBigError as error:
        return failure(E_QUOTA, f"{name}: the answer is too big: {error}")
    except CodingError as error:
        return failure(E_INVARG, f"{name}: the answer is not MOO's: {error}")
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001  (a bug there ends this request alone)
        answer = failure(E_INVARG, f"{name}: {type(error).__name__}: {error}")
        answer["log"] = traceback.format_exc()
        return answer


def _raised(name: str, error: MooError, max_bytes: int) -> dict[str, Any]:
    try:
        parts = to_json((error.code, str(error.message), error.value), max_bytes)
    except CodingError as problem:
        return failure(E_INVARG, f"{name}: what it raises is not MOO's: {problem}")
    return {"error": parts}


def failure(code: Value, message: str) -> dict[str, Any]:
    """Return the answer that raises an error without a value."""
    # What an exception says may have any length and any lines.
    text = " ".join(message[:1000].split())
    return {"error": to_json((code, text, 0), 10)}
