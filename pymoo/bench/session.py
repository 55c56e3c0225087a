"""What one run of ``pymoo bench`` shares: the database, worlds, servers, crowds."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pymoo.bench.cases import Tier
from pymoo.bench.commands import REPERTOIRES, Repertoire, Role
from pymoo.bench.crowd import Crowd, crowd
from pymoo.bench.language import FIXTURE_VERBS
from pymoo.bench.many_objects import write_many_objects
from pymoo.bench.served import Served, serving
from pymoo.bench.workbench import Workbench
from pymoo.lang.dialect import Dialect

ROUND_S: Final = 0.05
"""CPU seconds that a round of a program takes at least."""

LINES_PER_ROUND: Final = 400
"""How many commands, at least, a crowd types in one round; more if it is large."""


class Session:
    """The measured database, and what was made of it so far.

    Used as a context, at whose end all servers are stopped.  Files are made in
    ``folder``.  ``round_s`` and ``lines_per_round`` say how long one sample takes:
    the shorter, the less exact.
    """

    def __init__(
        self,
        database: Path,
        dialect: Dialect,
        folder: Path,
        *,
        round_s: float = ROUND_S,
        lines_per_round: int = LINES_PER_ROUND,
    ) -> None:
        self.database: Final = database
        self.dialect: Final = dialect
        self.folder: Final = folder
        self.round_s: Final = round_s
        self.lines_per_round: Final = lines_per_round
        self._stack: Final = ExitStack()
        self._made: Final[dict[Any, Any]] = {}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the servers that are still running."""
        self._stack.close()

    def once(self, key: Any, make: Callable[[], Any]) -> Any:
        """Return what ``make`` gives, made once for ``key``."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    @cached_property
    def digest(self) -> str:
        """What tells this database from others."""
        return hashlib.sha256(self.database.read_bytes()).hexdigest()[:16]

    # --- in this process --------------------------------------------------

    def workbench(self, tier: Tier) -> Workbench:
        """Return the world for programs, with the verbs that they call."""

        def make() -> Workbench:
            workbench = Workbench(self.database, self.dialect, tier)
            for name, code in FIXTURE_VERBS.items():
                workbench.define(name, code)
            return workbench

        bench: Workbench = self.once(("workbench", tier), make)
        return bench

    # --- what the database has --------------------------------------------

    @cached_property
    def system_properties(self) -> set[str]:
        """The names that programs write with a dollar sign."""
        names = self.workbench(Tier.COMPILED).run("return properties(#0);")
        assert type(names) is tuple
        return {str(name) for name in names}

    @cached_property
    def repertoire(self) -> Repertoire | None:
        """The commands that players of this database type; None for an unknown core."""
        for repertoire in REPERTOIRES:
            if self.system_properties.issuperset(repertoire.landmarks):
                return repertoire
        return None

    # --- in processes of their own ----------------------------------------

    def populated(self, players: int) -> tuple[Path, list[Role]]:
        """Return the database with so many players made in it, and who they are."""
        repertoire = self.repertoire
        assert repertoire is not None

        def make() -> tuple[Path, list[Role]]:
            workbench = Workbench(
                self.database, self.dialect, Tier.COMPILED, lifts_limits=False
            )
            roles = repertoire.populate(workbench, players)
            path = self.folder / f"players-{players}.db"
            workbench.save(path)
            return path, roles

        made: tuple[Path, list[Role]] = self.once(("populated", players), make)
        return made

    def with_objects(self, count: int) -> Path:
        """Return a database that has so many objects and little else."""

        def make() -> Path:
            path = self.folder / f"objects-{count}.db"
            write_many_objects(path, count)
            return path

        path: Path = self.once(("objects", count), make)
        return path

    def copy(self) -> Path:
        """Return a copy of the database, beside which a server may write."""

        def make() -> Path:
            path = self.folder / "database.db"
            shutil.copyfile(self.database, path)
            return path

        path: Path = self.once("copy", make)
        return path

    def serve(self, path: Path, tier: Tier) -> AbstractContextManager[Served]:
        """Serve a database of this session's in a process of its own."""
        return serving(path, self.dialect, tier)

    @contextmanager
    def crowd(self, players: int, tier: Tier) -> Iterator[tuple[Served, Crowd]]:
        """Serve the database to so many players while the context lasts."""
        path, roles = self.populated(players)
        with self.serve(path, tier) as served, crowd(served, roles) as everybody:
            yield served, everybody

    def single_player(self, tier: Tier) -> tuple[Served, Crowd]:
        """Return a server with one player, which stays for the whole session."""
        found: tuple[Served, Crowd] = self.once(
            ("single player", tier),
            lambda: self._stack.enter_context(self.crowd(1, tier)),
        )
        return found
