"""Imports point down the list of layers in ARCHITECTURE.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pymoo"


def layers() -> dict[str, int]:
    """How high each package stands; 0 is the lowest."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found = re.search(r"^```layers\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    rows = found[1].strip().splitlines()
    return {
        name: height
        for height, row in enumerate(reversed(rows))
        for name in row.split()
    }


LAYERS = layers()


def package_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Every import of a part of pymoo, with its line; those in functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            module = node.module or ""
            names = (
                [f"pymoo.{alias.name}" for alias in node.names]
                if module == "pymoo"
                else [module]
            )
        else:
            continue
        for name in names:
            first, _, rest = name.partition(".")
            if first == "pymoo" and rest:
                yield node.lineno, rest.partition(".")[0]


MODULES = sorted(
    path
    for path in PACKAGE.rglob("*.py")
    if path.parent != PACKAGE or path.stem not in ("__init__", "__main__")
)


@pytest.mark.parametrize(
    "path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_imports_point_down(path: Path) -> None:
    here = package_of(path)
    assert here in LAYERS, f"{here} is missing from the layers in ARCHITECTURE.md"
    for line, there in imports(path):
        if there in (here, "__version__"):
            continue
        assert there in LAYERS, f"{path}:{line}: {there} is in no layer"
        assert LAYERS[there] < LAYERS[here], f"{path}:{line}: {here} imports {there}"


def test_every_layer_exists() -> None:
    for name in LAYERS:
        assert (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file(), name


def test_only_the_listener_touches_sockets() -> None:
    """And what drives its event loop, and what looks names up."""
    allowed = {"listener.py", "main_loop.py", "serving.py", "name_lookup.py"}
    for path in (PACKAGE / "server").rglob("*.py"):
        if path.name not in allowed:
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"^(import|from) (socket|asyncio)\b", text, re.M), path
