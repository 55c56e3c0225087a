"""A web page that somebody looks at on the machine of the server cannot be the wizard.

A page may have its browser post any text to any port.  Among the lines of such a
request can be ``connect wizard``, which needs no password on that machine.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from pymoo.lang.dialect import PYMOO
from pymoo.server.inprocess import InProcessServer
from pymoo.worlds.starter import starter_textdump

ORDER = b'connect wizard\r\n;#0.name = "stolen"\r\n'


def served(folder: Path) -> InProcessServer:
    return InProcessServer.open(starter_textdump(), folder / "out.db", PYMOO)


def name_of_system(server: InProcessServer) -> str:
    return next(iter(server.server.engine.world.objects())).name


def test_on_the_machine_of_the_server_the_wizard_needs_no_password(
    tmp_path: Path,
) -> None:
    server = served(tmp_path)
    server.connect(host="127.0.0.1").send(ORDER)
    server.run()
    assert name_of_system(server) == "stolen"


@pytest.mark.parametrize("size", [1, 7, 10_000])
@pytest.mark.parametrize(
    "head",
    [
        b"POST / HTTP/1.1\r\nHost: localhost:7777\r\nContent-Length: 99\r\n\r\n",
        b"GET /?x HTTP/1.0\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\n",
        b"PUT /connect wizard HTTP/1.1\n\n",
        b"post / http/1.1\r\n",
        b"connect wizard HTTP/1.1\r\n",
        b"GET /?\\ HTTP/1.1\r\n",
    ],
)
def test_what_a_browser_sends_is_hung_up_on(
    head: bytes, size: int, tmp_path: Path
) -> None:
    server = served(tmp_path)
    before = name_of_system(server)
    client = server.connect(host="127.0.0.1")
    data = head + ORDER
    for start in range(0, len(data), size):
        client.send(data[start : start + size])
        server.run()
    assert name_of_system(server) == before
    assert client.was_closed
