"""One soak: a server of its own, a crowd, samples of its memory, and the verdict.

The driver is this process; the server is another, `pymoo serve`, as anybody runs it.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import re
import shutil
import statistics
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Final

from attrs import define, field, frozen

from pymoo.bench.session import Session
from pymoo.lang.dialect import PYMOO
from pymoo.worlds.starter import starter_textdump
from tests.server.processes import ServerProcess
from tests.shared_material import HAVE_SHARED, SHARED
from tests.soak.guests import MISCHIEF, Show, hostile, player

HOSTILE_SHARE: Final = 0.1
SAMPLE_S: Final = 2.0


@frozen
class Plan:
    """How long, and with how many."""

    seconds: float = 600.0
    connections: int = 500
    think_s: float = 8.0
    # What the commands of players may take at most, 99 of 100 of them.
    p99_s: float = 2.0
    # By how much of itself memory may grow in ten minutes, and how many bytes are
    # nothing to speak of in a short run.
    growth: float = 0.1
    noise: int = 24 << 20

    @property
    def warm_up_s(self) -> float:
        """When everybody is there, and what is hot has been compiled."""
        return min(150.0, self.seconds * 0.4)

    @property
    def hostile(self) -> int:
        return max(len(MISCHIEF), round(self.connections * HOSTILE_SHARE))

    @classmethod
    def from_environment(cls) -> Plan:
        """As SOAK_S, SOAK_CONNECTIONS, SOAK_THINK_S and SOAK_P99_S have it."""
        asked = os.environ
        return cls(
            seconds=float(asked.get("SOAK_S", 600)),
            connections=int(asked.get("SOAK_CONNECTIONS", 500)),
            think_s=float(asked.get("SOAK_THINK_S", 8)),
            p99_s=float(asked.get("SOAK_P99_S", 2)),
        )


@define
class Outcome:
    """What a soak has shown."""

    plan: Plan
    core: str
    latencies: list[float]
    memory: list[tuple[float, int]]  # seconds since the start, bytes
    counts: Counter[str]
    mistakes: list[str]
    log: str
    status: int | None
    load: tuple[float, float, float] = field(factory=os.getloadavg)

    def percentile(self, percent: float) -> float:
        """Return what so many of the commands took at most, in seconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]

    @property
    def slope(self) -> float:
        """Bytes that the server's memory grew by in a second, once it was warm."""
        warm = [each for each in self.memory if each[0] >= self.plan.warm_up_s]
        if len(warm) < 2:
            return 0.0
        return statistics.linear_regression(*zip(*warm, strict=True)).slope

    @property
    def faults(self) -> list[str]:
        """What is wrong; nothing is, if all is well."""
        found = [*self.mistakes[:10]]
        if self.status != 0:
            found.append(f"the server has ended with {self.status}")
        found += [
            line for line in self.log.splitlines() if re.search(r"BUG|Traceback", line)
        ][:10]
        if not self.latencies:
            found.append("no command was answered")
        elif self.percentile(99) > self.plan.p99_s:
            found.append(f"the 99th percentile is {self.percentile(99):.2f} s")
        measured = self.plan.seconds - self.plan.warm_up_s
        size = self.memory[-1][1] if self.memory else 0
        allowed = self.plan.noise + self.plan.growth * size * measured / 600
        if self.slope * measured > allowed:
            found.append(
                f"memory grows by {self.slope * 60 / 1e6:.2f} MB a minute: "
                f"{self.slope * measured / 1e6:.0f} MB of {size / 1e6:.0f}"
            )
        return found

    def __str__(self) -> str:
        plan, counts = self.plan, self.counts
        lines = [
            f"{self.core}, {plan.seconds:.0f} s, {plan.connections} connections, "
            f"{plan.hostile} of them hostile",
            f"load of the machine: {' '.join(f'{each:.1f}' for each in self.load)}",
            f"commands: {counts['commands']:,}, of which {len(self.latencies):,} count",
        ]
        if self.latencies:
            figures = ", ".join(
                f"{name} {self.percentile(each) * 1000:.0f} ms"
                for name, each in (
                    ("median", 50),
                    ("p90", 90),
                    ("p99", 99),
                    ("max", 100),
                )
            )
            lines.append(f"answered in: {figures}")
        if self.memory:
            warm = [size for at, size in self.memory if at >= plan.warm_up_s]
            sizes = [size for _, size in self.memory]
            lines.append(
                f"memory: {sizes[0] / 1e6:.0f} MB at first, "
                f"{warm[0] / 1e6 if warm else 0:.0f} MB warm, {sizes[-1] / 1e6:.0f} MB "
                f"at the end, {self.slope * 60 / 1e6:+.2f} MB a minute"
            )
        lines += [f"  {name}: {count:,}" for name, count in sorted(counts.items())]
        lines += [f"FAULT: {fault}" for fault in self.faults]
        return "\n".join(lines)


def database(folder: Path) -> Path:
    """Return LambdaCore, or the starter core where that is not to be had."""
    path = folder / "core.db"
    if HAVE_SHARED:
        packed = SHARED / "cores" / "LambdaCore-20Jun18.db.gz"
        path.write_bytes(gzip.decompress(packed.read_bytes()))
    else:
        shutil.copy(starter_textdump(), path)
    return path


def soak(plan: Plan, folder: Path, path: Path) -> Outcome:
    """Run one with the database at ``path``; files are made in ``folder``."""
    with Session(path, PYMOO, folder) as session:
        repertoire = session.repertoire
        assert repertoire is not None, f"{path} is of an unknown core"
        populated, roles = session.populated(plan.connections)
    shutil.copy(populated, folder / "in.db")
    with ServerProcess(
        folder, "serve", "{input}", "{output}", "--port", "0", "--log", "{log}"
    ) as server:
        show = Show(server.port, plan.think_s)
        memory: list[tuple[float, int]] = []

        async def play() -> None:
            began = time.monotonic()
            nasty = plan.hostile
            guests = [
                asyncio.create_task(
                    hostile(show, MISCHIEF[i % len(MISCHIEF)], roles[i], Random(i))
                )
                for i in range(nasty)
            ]
            for number, role in enumerate(roles[nasty:]):
                guests.append(
                    asyncio.create_task(
                        player(show, repertoire, role, Random(1000 + number))
                    )
                )
                await asyncio.sleep(min(0.02, plan.warm_up_s / 2 / len(roles)))
            while (at := time.monotonic() - began) < plan.seconds:
                if server.process.poll() is not None:
                    break
                show.is_warm = at >= plan.warm_up_s
                memory.append((at, _resident(server.process.pid)))
                await asyncio.sleep(min(SAMPLE_S, plan.seconds / 20))
            show.is_over = True
            for guest in guests:
                guest.cancel()
            results = await asyncio.gather(*guests, return_exceptions=True)
            for result in results:
                if isinstance(result, Exception):
                    raise result

        asyncio.run(play())
        load = os.getloadavg()
        status = server.process.poll()
        if status is None:
            status = server.stop()
        return Outcome(
            plan,
            repertoire.core,
            show.latencies,
            memory,
            show.counts,
            show.mistakes,
            server.log,
            status,
            load,
        )


def _resident(process_id: int) -> int:
    """Return the bytes of memory that a process holds."""
    pages = Path(f"/proc/{process_id}/statm").read_text(encoding="ascii").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
