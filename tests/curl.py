"""What the documentation asks of curl, for machines that have none.

``-s`` (which it always does), ``-i``, ``-H``, ``-d``, and an address; anything else is
refused.
"""

from __future__ import annotations

import argparse
import http.client
import sys
from urllib.parse import urlsplit


def main() -> None:
    """Send a request, and print the answer."""
    parser = argparse.ArgumentParser(prog="curl", allow_abbrev=False)
    parser.add_argument("-s", action="store_true", required=True)
    parser.add_argument("-i", action="store_true")
    parser.add_argument("-H", action="append", default=[])
    parser.add_argument("-d")
    parser.add_argument("address")
    asked = parser.parse_args()
    parts = urlsplit(asked.address)
    assert parts.scheme == "http"
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
    path = f"{parts.path or '/'}{'?' * bool(parts.query)}{parts.query}"
    method = "GET" if asked.d is None else "POST"
    headers = dict(line.split(": ", 1) for line in asked.H)
    connection.request(method, path, asked.d, headers)
    answer = connection.getresponse()
    out = sys.stdout.buffer
    if asked.i:
        assert answer.version == 11
        out.write(f"HTTP/1.1 {answer.status} {answer.reason}\r\n".encode())
        for name, value in answer.getheaders():
            out.write(f"{name}: {value}\r\n".encode())
        out.write(b"\r\n")
    out.write(answer.read())


if __name__ == "__main__":
    main()
