"""The chains that a textdump strings its objects on: checked, mended, understood.

In the file each object names its parent and location, the first of its children
and contents, and the next one of its siblings and of the things beside it.  Here
these six are checked as the C server checks them, with its messages in the log.

Source: db_file.c, validate_hierarchies.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import define, field

from pymoo.db.log import Log
from pymoo.errors import TextdumpError
from pymoo.values import NOTHING, Obj


@define
class Chains:
    """Six columns of object numbers, by object number.

    A row of a recycled object is all NOTHING, and its number in `recycled`.
    """

    parent: list[Obj] = field(factory=list)
    child: list[Obj] = field(factory=list)
    sibling: list[Obj] = field(factory=list)
    location: list[Obj] = field(factory=list)
    contents: list[Obj] = field(factory=list)
    next: list[Obj] = field(factory=list)
    recycled: set[int] = field(factory=set)

    def add_recycled(self) -> None:
        """Add the row of a recycled object."""
        self.recycled.add(len(self.parent))
        for column in (
            self.parent,
            self.child,
            self.sibling,
            self.location,
            self.contents,
            self.next,
        ):
            column.append(NOTHING)

    def members(self, first: Obj, links: list[Obj]) -> Iterator[Obj]:
        """Yield a list of objects: ``first``, and along ``links`` to the end."""
        while first != NOTHING:
            yield first
            first = links[first]


# The order in which the C server looks at the columns of an object.
_COLUMNS: Final = ("parent", "child", "sibling", "location", "contents", "next")


def validate(chains: Chains, log: Log) -> None:
    """Check the chains; mend what only points to objects that are not there.

    Raises: TextdumpError where objects disagree about where they belong.
    """
    log("VALIDATING the object hierarchies ...", False)
    log("VALIDATE: Phase 1: Check for invalid objects ...", False)
    _mend_invalid(chains, log)
    log("VALIDATE: Phase 2: Check for cycles ...", False)
    findings = list(_cycles(chains))
    if not findings:
        unclaimed: list[str] = []
        log("VALIDATE: Phase 3a: Finding delusional parents ...", False)
        for line in _delusional_parents(chains, unclaimed):
            findings.append(line)
            log(line, True)
        log("VALIDATE: Phase 3b: Finding delusional children ...", False)
        for line in unclaimed:
            findings.append(line)
            log(line, True)
        log("VALIDATING the object hierarchies ... finished.", False)
    else:
        for line in findings:
            log(line, True)
    if findings:
        raise TextdumpError(
            f"objects disagree about where they belong ({len(findings)} findings, the "
            f"first: {findings[0].removeprefix('VALIDATE: ')})"
        )


def _mend_invalid(chains: Chains, log: Log) -> None:
    size = len(chains.parent)
    recycled = chains.recycled
    columns = [(name, getattr(chains, name)) for name in _COLUMNS]
    mended = 0
    for number, (location, next_) in enumerate(
        zip(chains.location, chains.next, strict=True)
    ):
        if location == NOTHING and next_ != NOTHING:
            chains.next[number] = NOTHING
            mended += 1
        for name, column in columns:
            other = column[number]
            if other != NOTHING and (not 0 <= other < size or other in recycled):
                log(f"VALIDATE: #{number}.{name} = {other} <invalid> ... fixed.", True)
                column[number] = NOTHING
    if mended:
        log(f"VALIDATE: Fixed {mended} should-be-null next pointer(s) ...", True)


def _cycles(chains: Chains) -> Iterator[str]:
    endless = [
        ("parent", chains.parent, _endless(chains.parent)),
        ("child", chains.child, _endless(chains.sibling)),
        ("location", chains.location, _endless(chains.location)),
        ("contents", chains.contents, _endless(chains.next)),
    ]
    if not any(numbers for _, _, numbers in endless):
        return
    for number in range(len(chains.parent)):
        for name, starts, numbers in endless:
            if starts[number] in numbers:
                yield f"VALIDATE: Cycle in `{name}' chain of #{number}"


def _endless(links: list[Obj]) -> set[int]:
    """Return the objects from which following ``links`` never ends."""
    endless: set[int] = set()
    seen = bytearray(len(links))
    for number in range(len(links)):
        if seen[number]:
            continue
        path = []
        at: int = number
        while at != NOTHING and not seen[at]:
            seen[at] = 1
            path.append(at)
            at = links[at]
        # `at` was seen before: now, and this is a circle, or earlier, and then what
        # was found about it holds for the path as well.
        if at != NOTHING and (at in endless or at in path):
            endless.update(path)
    return endless


def _delusional_parents(chains: Chains, unclaimed: list[str]) -> Iterator[str]:
    """Yield who stands in a list without saying so.

    Those who say that they are in a list and are not are added to ``unclaimed``.
    """
    lists = (
        ("child", chains.child, chains.sibling, "parent", chains.parent),
        ("contents", chains.contents, chains.next, "location", chains.location),
    )
    claimed = {name: bytearray(len(chains.parent)) for name, *_ in lists}
    for number in range(len(chains.parent)):
        for name, firsts, links, _, ups in lists:
            member = firsts[number]
            while member != NOTHING:
                if ups[member] != number:
                    yield (
                        f"VALIDATE: {member} erroneously on #{number}'s {name} list."
                    )
                else:
                    claimed[name][member] = 1
                member = links[member]
    for number in range(len(chains.parent)):
        for name, _, _, up_name, ups in lists:
            up = ups[number]
            if up != NOTHING and not claimed[name][number]:
                unclaimed.append(
                    f"VALIDATE: #{number} not in {up_name} ({up})'s {name} list."
                )
