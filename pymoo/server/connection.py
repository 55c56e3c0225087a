"""One connection: who it is, what it has typed so far, what waits to be sent to it.

The bytes themselves travel over a `network.Wire`; what happens to connections
(login, boot, time-out) is in `connections`.
"""

from __future__ import annotations

from collections import deque
from typing import Final

from attrs import define, field

from pymoo.server.admission import Allowance
from pymoo.server.network import Wire
from pymoo.server.telnet import LineReader
from pymoo.tasks.queues import PlayerQueue
from pymoo.values import Obj

MAX_HELD_OUTPUT: Final = 1_048_576
"""How many bytes an atomic task may have waiting for one connection before its end."""

MAX_QUEUED_OUTPUT: Final = 65_536
"""How many bytes may wait to be sent to one connection (options.h)."""


class OutputBuffer:
    """What waits to be sent over one wire, in pieces that are dropped as a whole.

    A line is one piece.  When a new one does not fit, what can be is sent; then the
    oldest are dropped until it does, and counted.  A single piece of any length fits
    into an empty buffer.

    The pieces of a slice that is rolled back can be withdrawn, those that have not been
    sent or dropped.

    Source: net_multi.c, enqueue_output and push_output.
    """

    __slots__ = ("_is_begun", "_lost", "_notice", "_pieces", "_wire", "added", "length")

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pieces: deque[bytes] = deque()
        self._notice = b""  # what is left to be sent of a word on lost lines
        self._lost = 0
        self._is_begun = False  # whether a part of the first piece was sent
        self.added = 0
        """How many pieces there have been."""
        self.length = 0
        """How many bytes wait, words on lost lines not counted."""

    @property
    def is_empty(self) -> bool:
        return not self._pieces

    @property
    def piece_count(self) -> int:
        """How many pieces wait."""
        return len(self._pieces)

    def add(
        self, piece: bytes, *, may_drop: bool = True, may_push: bool = True
    ) -> bool:
        """Put ``piece`` behind what waits; False if it does not fit.

        That can be only if older ones may not be dropped for it.  Without ``may_push``
        nothing is sent to make room; more may wait then.
        """
        if not piece:  # or any number of them could wait
            return True
        length = self.length + len(piece)
        if length > MAX_QUEUED_OUTPUT and self.length:
            limit = MAX_QUEUED_OUTPUT
            if may_push:
                self.push()
                length = self.length + len(piece)
            elif may_drop:
                limit = MAX_HELD_OUTPUT
            if length > limit:
                if not may_drop:
                    return False
                length -= self._drop(length - limit)
        self._pieces.append(piece)
        self.added += 1
        self.length = length
        return True

    def withdraw(self, added: int) -> None:
        """Take back the pieces that came after the first ``added`` ones."""
        pieces = self._pieces
        first = 1 if self._is_begun else 0
        for _ in range(min(self.added - added, len(pieces) - first)):
            self.length -= len(pieces.pop())

    def _drop(self, wanted: int) -> int:
        """Drop the oldest pieces, ``wanted`` bytes at least if there are so many."""
        dropped = 0
        while dropped < wanted and self._pieces:
            dropped += len(self._pieces.popleft())
            self._is_begun = False
            self._lost += 1
        self.length -= dropped
        return dropped

    def push(self) -> None:
        """Send what the wire takes."""
        while self._notice or self._lost:
            if not self._notice:
                self._notice = _lost_lines(self._lost)
                self._lost = 0
            self._notice = self._notice[self._wire.send(self._notice) :]
            if self._notice:
                return
        pieces = self._pieces
        if not pieces:
            return
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        sent = self._wire.send(data)
        self.length -= sent
        if sent == len(data):
            pieces.clear()
            self._is_begun = False
            return
        while sent >= len(pieces[0]):
            sent -= len(pieces.popleft())
            self._is_begun = False
        if sent:
            pieces[0] = pieces[0][sent:]
            self._is_begun = True


def _lost_lines(count: int) -> bytes:
    # It begins with the end of a line, as a part of one may have been sent before.
    lines = "line" if count == 1 else "lines"
    have = "has" if count == 1 else "have"
    return (
        f"\r\n>> Network buffer overflow: {count} {lines} of output to you {have} "
        "been lost <<\r\n"
    ).encode()


@define(eq=False)
class Connection:
    """Somebody who is connected, logged in or not."""

    player: Obj  # a negative number until they log in
    handler: Obj  # where the verbs of its events are looked for
    # Whether the server's own messages are shown, and of which kind it is.
    print_messages: bool
    is_outbound: bool
    name: str  # as connection_name() gives it
    wire: Wire
    queue: PlayerQueue
    reader: LineReader
    arrived_at: int
    # Whose connections it counts among, if those are counted (`admission`).
    group: str | None = None
    # What it may type before login, once it has typed something.
    login_allowance: Allowance | None = None
    # Lines typed before login that have not been used; one that greets is before them.
    uncounted_lines: int = 0
    is_to_be_greeted: bool = False
    output: OutputBuffer = field(init=False)
    # When a line came last, in whole seconds.
    active_at: int = field(init=False)
    # When the player logged in; 0 before.
    logged_in_at: int = 0
    is_binary: bool = False
    client_echo: bool = True
    # It is to be closed at the end of the turn, and counts as gone for programs.
    is_booted: bool = False
    # The message that it is then sent.
    farewell: str = "boot_msg"
    # Its output waits for the end of the turn.
    is_dirty: bool = False
    # The slice that has sent something last.
    slice_number: int = 0
    # Input is not read: because too much waits in the queue, or too many lines.
    is_held: bool = False
    is_flooding: bool = False

    def __attrs_post_init__(self) -> None:
        self.output = OutputBuffer(self.wire)
        self.active_at = self.arrived_at

    def hold_input(self, held: bool) -> None:
        """Stop reading because too many bytes wait, or go on."""
        self.is_held = held
        self._update_reading()

    def hold_flood(self, flooding: bool) -> None:
        """Stop reading because too many lines wait, or go on."""
        self.is_flooding = flooding
        self._update_reading()

    def _update_reading(self) -> None:
        if self.is_held or self.is_flooding:
            self.wire.pause_reading()
        else:
            self.wire.resume_reading()
