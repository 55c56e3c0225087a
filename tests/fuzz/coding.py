"""What a worker sends, and what is sent to one: a value, or refused."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from hypothesis import strategies as st

from pymoo.values import Obj
from pymoo.workers.coding import CodingError, Reader, decoded, encoded, to_json
from pymoo.workers.registry import failure
from tests.fuzz.json_texts import DATA, JSON_BYTES
from tests.fuzz.running import Target, plain
from tests.fuzz.values import assert_value, same
from tests.strategies import values

READERS: Final = {
    32: Reader(width=32, encoding="latin-1"),
    64: Reader(width=64),
}

# Bytes as they are received; what Python functions return; values.
INPUTS: Final = st.tuples(
    JSON_BYTES,
    st.one_of(DATA, st.just({1}), st.just(b"x"), st.floats(), st.booleans()),
    values(),
)


def check(data: tuple[bytes, Any, Any]) -> None:
    received, returned, value = data
    for width, reader in READERS.items():
        try:
            message = decoded(received)
        except CodingError:
            break
        for part in (message, *message.values()):
            try:
                made = reader.value(part)
            except CodingError:
                continue
            assert_value(made, width=width, latin=width == 32)
            assert same(reader.value(to_json(made, 1 << 20)), made)
        try:
            text = reader.message(message.get("log"))
        except CodingError:
            continue
        assert_value(text, width=width, latin=width == 32)
    try:
        sent = to_json(returned, 1000)
    except CodingError:
        pass
    else:
        encoded({"value": sent}, 1 << 20)
    text = encoded({"value": to_json(value, 1000)}, 1 << 20)
    try:
        assert same(READERS[32].value(decoded(text)["value"]), value)
    except CodingError:
        # Only a database file can hold such a string; no worker can return it.
        assert re.search(rb"\\u00(?:[01]|7f)|\\[bfnr]", text), text
    assert json.loads(json.dumps(failure(Obj(1), received.decode("latin-1"))))


TARGET: Final = Target("coding", INPUTS, plain(check))
