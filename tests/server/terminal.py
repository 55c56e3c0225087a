"""A server before its start, in emergency mode, with an operator at the terminal."""

from __future__ import annotations

import io
from pathlib import Path

from pymoo.lang.dialect import LAMBDAMOO
from pymoo.server.app import Server, ServerSettings
from pymoo.server.database import open_database
from pymoo.server.dumps import DumpFiles
from pymoo.server.emergency import EmergencyMode, Ending
from pymoo.server.inprocess import HandClock
from pymoo.server.log import Log
from pymoo.server.memory_network import MemoryNetwork

PORT = 7565


class Terminal:
    """A server before its start, with an operator."""

    def __init__(self, path: Path, folder: Path) -> None:
        self.output = folder / "out.db"
        self.clock = HandClock()
        self.log = io.BytesIO()
        network = MemoryNetwork()
        log = Log(self.clock, self.log)
        database = open_database(path, LAMBDAMOO, log=log.write)
        self.server = Server(
            database.textdump,
            DumpFiles(str(path), str(self.output)),
            network,
            self.clock,
            log,
            ServerSettings(LAMBDAMOO),
            builtins=database.builtins,
            loader=database.loader,
            forks=False,
        )
        self.server.load_options()
        self.server.adopt(network.bind(PORT), PORT)
        self.ending: Ending | None = None

    def type(self, text: str) -> str:
        """Type everything, and return all that is answered."""
        sink = io.BytesIO()
        source = io.BytesIO(text.encode("latin-1"))
        self.ending = EmergencyMode(self.server, source, sink).run()
        return sink.getvalue().decode("latin-1")

    def answers(self, text: str) -> list[str]:
        """Return what is answered to lines, without greeting, prompts and farewell."""
        shown = self.type(text)
        lines = shown.split("** Now running emergency commands as #3 ...\n", 1)[1]
        return [
            line.removeprefix("MOO (#3): ")
            for line in lines.splitlines()
            if line not in ("", "MOO (#3): ")
        ][:-1]
