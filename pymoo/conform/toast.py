"""Reads the YAML files of moo-conformance-tests, as they are.

Files, cases, steps, tables of cases and the conditions under which a file or case
makes sense are here; `toast_play` runs them, `toast_expect` judges the answers.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml
from attrs import define, field

from pymoo.conform.cases import Case, CaseError, Job, Result
from pymoo.conform.database import database
from pymoo.conform.profiles import Profile
from pymoo.conform.toast_play import play_cases
from pymoo.conform.workbench import Workbench

_SUITE_KEYS: Final = frozenset(
    "name tests description version skip server_db requires setup teardown provides "
    "assumes".split()
)
_CASE_KEYS: Final = frozenset(
    "name description skip skip_if permission setup teardown code statement verb steps "
    "args argstr expect cleanup timeout_ms provides assumes table".split()
)
_FILES_NEEDED: Final = frozenset(
    {"server_dir", "log_file", "managed_server", "server_db_dir"}
)
_PLACE: Final = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@define(eq=False)
class ToastCase(Case):
    """One case, its table's row filled in."""

    file: ToastFile
    row: Mapping[str, Any]

    @property
    def code(self) -> str:
        """What a report shows."""
        for key in ("code", "statement", "verb"):
            if key in self.row:
                return str(self.row[key])
        return ""

    @property
    def permission(self) -> str:
        return str(self.row.get("permission", "programmer"))


@define(eq=False)
class ToastFile:
    """One file: what its cases have in common."""

    group: str
    path: Path
    row: Mapping[str, Any]
    cases: list[ToastCase] = field(factory=list)

    def names(self, key: str) -> set[str]:
        """Return what the file or its cases say they ``provides`` or ``assumes``."""
        found = set(_listed(self.row.get(key)))
        for case in self.cases:
            found |= set(_listed(case.row.get(key)))
        return found


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]


@define(eq=False)
class ToastSuite:
    """All files below a folder."""

    name: str
    files: list[ToastFile]
    profile: Profile
    world: bytes
    answered_by: str = "ToastStunt"

    @property
    def cases(self) -> Sequence[Case]:
        return [case for file in self.files for case in file.cases]

    def jobs(self, cases: Sequence[Case]) -> list[Job]:
        """Return a job for each file; one with all that build on each other."""
        chosen = {id(case) for case in cases}
        linked = [f for f in self.files if f.names("provides") or f.names("assumes")]
        linked.sort(key=lambda file: not file.names("provides"))
        groups = [linked, *([f] for f in self.files if f not in linked)]
        jobs = []
        for files in groups:
            part = [c for f in files for c in f.cases if id(c) in chosen]
            if part:
                jobs.append(Job(self, tuple(part)))
        return jobs

    def run(self, job: Job, bench: Workbench) -> Iterator[Result]:
        return play_cases(
            [case for case in job.cases if isinstance(case, ToastCase)],
            self.world,
            self.profile,
            bench,
        )


# --- reading ----------------------------------------------------------------------


def read_toast(
    path: Path, profile: Profile, database_file: Path | None = None
) -> ToastSuite:
    """Return the cases of one file, or of all files below a folder.

    Raises: CaseError.
    """
    folder = path if path.is_dir() else path.parent
    files = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
    world = database_file.read_bytes() if database_file else database("toast")
    return ToastSuite(
        str(path), [_read_file(file, folder) for file in files], profile, world
    )


def _read_file(path: Path, folder: Path) -> ToastFile:
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        row = yaml.load(path.read_text("utf-8"), Loader=loader)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise CaseError(f"{path}: not YAML: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("tests"), list):
        raise CaseError(f"{path}: expected a mapping with name and tests")
    _check_keys(row, _SUITE_KEYS, path)
    group = path.relative_to(folder).with_suffix("").as_posix()
    file = ToastFile(group, path, row)
    for number, test in enumerate(row["tests"], 1):
        if not isinstance(test, dict) or "name" not in test:
            raise CaseError(f"{path}: case {number}: expected a mapping with name")
        _check_keys(test, _CASE_KEYS, path)
        for each in expanded(test):
            file.cases.append(ToastCase(group, str(each["name"]), file, each))
    return file


def _check_keys(row: Mapping[str, Any], known: frozenset[str], path: Path) -> None:
    for key in row:
        if key not in known:
            raise CaseError(f"{path}: {row.get('name')}: there is no key {key!r}")


def expanded(test: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a case once for each row of its table; without one, as it is."""
    if "table" not in test:
        return [test]
    rest = {key: value for key, value in test.items() if key != "table"}
    return [filled(rest, row) for row in _table_rows(test["table"])]


def _table_rows(table: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    if "product" in table:
        axes = [list(_axis_rows(axis)) for axis in table["product"]]
        for combination in itertools.product(*axes):
            row: dict[str, Any] = {}
            for part in combination:
                row.update(part)
            yield row
        return
    for index, row in enumerate(_axis_rows(table)):
        yield {"index": index, **row}


def _axis_rows(axis: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    columns = axis.get("columns")
    for row in axis["rows"]:
        if isinstance(row, dict):
            yield row
        elif columns is not None:
            values = row if isinstance(row, list) else [row]
            yield dict(zip(columns, values, strict=True))
        else:
            raise CaseError(f"a table's row {row!r} is a list, and has no columns")


def filled(template: Any, row: Mapping[str, Any]) -> Any:
    """Return a case with ``{column}`` replaced in all of its strings.

    A string that is nothing else becomes the value itself.
    """
    if isinstance(template, dict):
        return {
            key: filled(value, row) if key != "name" else _text(str(value), row)
            for key, value in template.items()
        }
    if isinstance(template, list):
        return [filled(value, row) for value in template]
    if isinstance(template, str):
        whole = _PLACE.fullmatch(template)
        if whole and whole[1] in row:
            return row[whole[1]]
        return _text(template, row)
    return template


def _text(template: str, row: Mapping[str, Any]) -> str:
    return _PLACE.sub(
        lambda match: str(row[match[1]]) if match[1] in row else match[0], template
    )


# --- conditions -------------------------------------------------------------------


def reason_to_skip(
    case: ToastCase, profile: Profile, builtins: set[str], has_files: bool
) -> str:
    """Return why a case makes no sense on a server; "" if it does."""
    for row in (case.file.row, case.row):
        if row.get("skip"):
            return (
                str(row["skip"]) if row["skip"] is not True else "skipped by its file"
            )
    requires = case.file.row.get("requires") or {}
    for name in _listed(requires.get("builtins")):
        if name not in builtins:
            return f"there is no function {name}()"
    for name in _listed(requires.get("features")):
        if not profile.has(f"feature.{name}"):
            return f"no feature {name}"
    for name in _listed(requires.get("config")):
        if name in _FILES_NEEDED and not has_files:
            return f"needs {name}: the server's files cannot be looked at"
    for atom in str(case.row.get("skip_if") or "").split(" or "):
        if atom.strip() and _holds(atom.strip(), profile, builtins):
            return atom.strip()
    return ""


def _holds(atom: str, profile: Profile, builtins: set[str]) -> bool:
    if atom.startswith("missing builtin."):
        return atom.removeprefix("missing builtin.") not in builtins
    if atom.startswith("not "):
        return not profile.has(atom.removeprefix("not ").strip())
    return profile.has(atom)
