"""Worlds as text: a folder with one file for each object.

The file ``world.moo`` lists the others, one in a line; the first is object #0, the
next #1, and so on.  A line ``recycled`` leaves a number without an object.  The
file of an object looks like this::

    // From here to the end of the line is a comment; not within programs.
    object $lamp
      name "brass lamp"
      parent $thing
      owner $housekeeper
      location $cellar
      flags r f

    property oil rc = 10
    property secret "" $wizard = {"a list", #-1, E_PERM,
      "which goes on until its last bracket closes"}
    set description = "A lamp of brass."
    set aliases rc $wizard = clear

    verb "l*ight" this none none rd
    "light <lamp>";
    this.oil = this.oil - 1;
    .

``object``
    The name that all files of the folder may use for this object, or its number:
    ``object #5`` is for worlds whose objects have no names, and is checked.
    ``name`` and ``owner`` must be given; ``parent`` and ``location`` are
    ``nothing`` if they are not; ``flags`` are those of ``player programmer wizard
    r w f`` that are set.
``property NAME PERMS [OWNER] = VALUE``
    A property that this object defines.
``set NAME [PERMS [OWNER]] = VALUE``
    The value of an inherited one; ``clear`` for that of the parent.  Without
    PERMS, these and the owner are as on a child that is made when its parent is
    complete.
``verb NAMES DOBJ PREP IOBJ PERMS [OWNER]``
    A verb and its program, as ``verb_code()`` lists it, up to a line ``.``; just
    ``.`` makes an empty program, and ``verb ... unprogrammed`` none.

Owners are the object's own where they are not given.  Words with blanks, and empty
ones, stand between quotes.  Values are written as in MOO, with ``$lamp`` for the
number of the object of that name.

This module reads such files, and knows neither the language nor what a world is:
`build` makes the one of the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NoReturn

from attrs import define, field, frozen

from pymoo.errors import PymooError
from pymoo.values import ERROR_CODES, NOTHING, Obj, Value, fold

MANIFEST: Final = "world.moo"
"""The file that lists the others of a world."""

OBJECT_FLAGS: Final = ("player", "programmer", "wizard", "r", "w", "f")


class WorldSourceError(PymooError):
    """The text of a world is not as it should be; the message names file and line."""


@frozen
class PropertySource:
    """A property that an object defines (``is_new``), or the value of another one.

    ``value`` is None for ``clear``, ``perms`` and ``owner`` for what is inherited.
    """

    name: str
    is_new: bool
    perms: str | None
    owner: Obj | None
    value: Value | None
    line: int


@frozen
class VerbSource:
    """A verb; ``code`` are the lines of its program, None if it has none."""

    names: str
    dobj: str
    prep: str
    iobj: str
    perms: str
    owner: Obj | None
    code: tuple[str, ...] | None
    line: int  # where its program begins


@define
class ObjectSource:
    """One file: an object, its properties and its verbs, in their order."""

    path: Path
    objid: Obj
    name: str = ""
    owner: Obj = NOTHING
    parent: Obj = NOTHING
    location: Obj = NOTHING
    flags: frozenset[str] = frozenset()
    properties: list[PropertySource] = field(factory=list)
    verbs: list[VerbSource] = field(factory=list)


@frozen
class WorldSource:
    """A whole folder.  ``names`` are those that the files use, without the ``$``."""

    objects: tuple[ObjectSource, ...]
    names: Mapping[str, Obj]
    size: int  # one more than the highest number, recycled ones included


def read_world(folder: Path) -> WorldSource:
    """Return what the files of a folder say.

    Raises: WorldSourceError; OSError where a file cannot be read.
    """
    files = _read_manifest(folder / MANIFEST)
    names: dict[str, Obj] = {}
    texts: list[tuple[Obj, Path, str]] = []
    for number, path in enumerate(files):
        if path is not None:
            objid = Obj(number)
            text = _text_of(path)
            name = _declared_name(path, text, objid)
            if name is not None and names.setdefault(name, objid) != objid:
                raise WorldSourceError(
                    f"{path}: ${name} is already object {names[name]}, "
                    f"{files[names[name]]}: give one of them another name"
                )
            texts.append((objid, path, text))
    objects = tuple(
        _Reader(path, text, names).read_object(objid) for objid, path, text in texts
    )
    return WorldSource(objects, names, len(files))


def _text_of(path: Path) -> str:
    # A character is a byte, as in a textdump.
    return path.read_bytes().decode("latin-1")


def _read_manifest(manifest: Path) -> list[Path | None]:
    """Return the files of a world by the numbers of their objects."""
    files: list[Path | None] = []
    reader = _Reader(manifest, _text_of(manifest), {})
    for words in reader.lines_of_words():
        (word,) = reader.expect_count(words, "the name of a file, or recycled", 1)
        if word == "recycled":
            files.append(None)
            continue
        path = manifest.parent / word
        if path in files:
            reader.fail("a file that is not listed yet", word)
        if not path.is_file():
            reader.fail(f"the name of a file in {manifest.parent}", word)
        files.append(path)
    return files


def _declared_name(path: Path, text: str, objid: Obj) -> str | None:
    """Return the name in the first line of a file, None if that is its number."""
    reader = _Reader(path, text, {})
    for words in reader.lines_of_words():
        if words[0] != "object":
            reader.fail("object $NAME", words[0])
        (word,) = reader.expect_count(words[1:], "object $NAME", 1)
        if match := _NAME.fullmatch(word):
            return fold(match[1])
        if word != str(objid):
            reader.fail(f"object $NAME, or object {objid}", f"object {word}")
        return None
    reader.fail("object $NAME", "the end of the file")


# --- words and values -------------------------------------------------------------

_NAME: Final = re.compile(r"\$([A-Za-z_][A-Za-z0-9_]*)")
_NUMBER: Final = re.compile(r"#(-?[0-9]+)")
_STRING: Final = r'"(?:[^"\\]|\\.)*"'
_WORD: Final = re.compile(rf'{_STRING}|(?:[^ \t"/]|/(?!/))+')
_BLANK: Final = re.compile(r"(?:[ \t]|//.*)+")
_ESCAPE: Final = re.compile(r"\\(.)")
_TOKEN: Final = re.compile(
    rf"(?P<string>{_STRING})"
    r"|(?P<float>[+-]?(?:[0-9]+\.[0-9]*|\.[0-9]+|[0-9]+(?=[eE]))(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<int>[+-]?[0-9]+)"
    r"|(?P<objid>#-?[0-9]+|\$[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<error>E_[A-Z]+)"
    r"|(?P<mark>[{},])"
)
_ERRORS: Final = {code.name: code for code in ERROR_CODES}
_PERMS: Final = {"property": "rwc", "verb": "rwxd"}


def _unquoted(text: str) -> str:
    return _ESCAPE.sub(r"\1", text[1:-1])


class _Reader:
    """Reads one file from its first line to its last."""

    def __init__(self, path: Path, text: str, names: Mapping[str, Obj]) -> None:
        self.path = path
        self.names = names
        self.lines = text.removesuffix("\n").split("\n")
        self.number = 0  # of the line in hand, from 1
        self.line = ""
        self.column = 0

    def fail(self, expected: str, found: str) -> NoReturn:
        """Raise an error about the line in hand."""
        place = f"{self.path}:{self.number}"
        raise WorldSourceError(f"{place}: expected {expected}, found {found}")

    # --- lines ------------------------------------------------------------

    def next_line(self) -> bool:
        """Take the next line, if there is one."""
        if self.number >= len(self.lines):
            self.line, self.column = "", 0
            return False
        self.line, self.column = self.lines[self.number], 0
        self.number += 1
        return True

    def lines_of_words(self) -> Iterator[list[str]]:
        """Yield the words of each line that has any, up to a ``=``."""
        while self.next_line():
            if words := self.words():
                yield words

    def skip_blanks(self) -> bool:
        """Go to the next character that counts; False if the line has no more."""
        if match := _BLANK.match(self.line, self.column):
            self.column = match.end()
        return self.column < len(self.line)

    def words(self) -> list[str]:
        """Return the words of the line, up to a ``=``."""
        found = []
        while self.skip_blanks():
            match = _WORD.match(self.line, self.column)
            if match is None:
                self.fail("a closing quote", self.line[self.column :])
            if match[0] == "=":
                break
            self.column = match.end()
            found.append(_unquoted(match[0]) if match[0][0] == '"' else match[0])
        return found

    def expect_count(
        self, words: list[str], expected: str, least: int, most: int | None = None
    ) -> list[str]:
        """Return the words if there are as many as there should be."""
        if not least <= len(words) <= (least if most is None else most):
            self.fail(expected, " ".join(words) or "nothing more")
        return words

    # --- what words mean ----------------------------------------------------

    def objid(self, word: str) -> Obj:
        """Return the object that a word is."""
        if word == "nothing":
            return NOTHING
        if match := _NUMBER.fullmatch(word):
            return Obj(int(match[1]))
        if match := _NAME.fullmatch(word):
            objid = self.names.get(fold(match[1]))
            if objid is None:
                self.fail(f"an object of this world (see {MANIFEST})", word)
            return objid
        self.fail("$NAME, #NUMBER or nothing", word)

    def perms(self, kind: str, word: str) -> str:
        """Return the permissions of a property or verb that a word is."""
        if not set(word) <= set(_PERMS[kind]) or len(set(word)) != len(word):
            self.fail(f'permissions of a {kind} ({_PERMS[kind]} or "")', word)
        return word

    # --- values -------------------------------------------------------------

    def token(self) -> tuple[str, str]:
        """Return kind and text of the next part of a value, in whichever line."""
        while not self.skip_blanks():
            if not self.next_line():
                self.fail("the rest of a value", "the end of the file")
        match = _TOKEN.match(self.line, self.column)
        if match is None:
            self.fail("a value", self.line[self.column :])
        self.column = match.end()
        kind = match.lastgroup
        assert kind is not None
        return kind, match[0]

    def value(self) -> Value:
        """Return the value that begins in the line in hand, and ends a line."""
        # Lists that are open, the outermost first; commas are looked for by `due`.
        pending: list[list[Value]] = []
        due = "value"  # "value", "value or }" or ", or }"
        while True:
            kind, text = self.token()
            value: Value
            if text == "," and kind == "mark" and due == ", or }":
                due = "value"
                continue
            if text == "{" and kind == "mark" and due != ", or }":
                pending.append([])
                due = "value or }"
                continue
            if text == "}" and kind == "mark" and "}" in due:
                value = tuple(pending.pop())
            elif kind != "mark" and due != ", or }":
                value = self.scalar(kind, text)
            else:
                self.fail(due if "," in due else f"a {due}", text)
            if not pending:
                break
            pending[-1].append(value)
            due = ", or }"
        if self.skip_blanks():
            self.fail("nothing more behind the value", self.line[self.column :])
        return value

    def scalar(self, kind: str, text: str) -> Value:
        """Return the value of one token."""
        if kind == "string":
            return _unquoted(text)
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind == "objid":
            return self.objid(text)
        if text not in _ERRORS:
            self.fail(f"an error ({' '.join(_ERRORS)})", text)
        return _ERRORS[text]

    # --- an object ------------------------------------------------------------

    def read_object(self, objid: Obj) -> ObjectSource:
        """Return the object of this file, whose first line has been checked."""
        source = ObjectSource(self.path, objid)
        header: dict[str, int] = {}
        seen: set[str] = set()
        for word, *rest in self.lines_of_words():
            if word == "property" or word == "set":
                item = self.read_property(word == "property", rest)
                if fold(item.name) in seen:
                    self.fail("a property that is not given yet", item.name)
                seen.add(fold(item.name))
                source.properties.append(item)
            elif word == "verb":
                source.verbs.append(self.read_verb(rest))
            elif word in _HEADER:
                if source.properties or source.verbs:
                    self.fail("property, set or verb", f"{word}, which stands above")
                if word in header:
                    self.fail(f"one {word}", f"another one in line {header[word]}")
                header[word] = self.number
                self.read_header(source, word, rest)
            else:
                self.fail(f"{', '.join(_HEADER)}, property, set or verb", word)
        for word in ("name", "owner"):
            if word not in header:
                self.fail(f"a line with the {word} of the object", "none")
        return source

    def read_header(self, source: ObjectSource, word: str, rest: list[str]) -> None:
        if word == "flags":
            for flag in rest:
                if flag not in OBJECT_FLAGS:
                    self.fail(f"flags ({' '.join(OBJECT_FLAGS)})", flag)
            source.flags = frozenset(rest)
            return
        (only,) = self.expect_count(rest, f"one word after {word}", 1)
        if word == "name":
            source.name = only
        elif word == "owner":
            source.owner = self.objid(only)
        elif word == "parent":
            source.parent = self.objid(only)
        elif word == "location":
            source.location = self.objid(only)

    def read_property(self, is_new: bool, words: list[str]) -> PropertySource:
        shape = (
            "property NAME PERMS [OWNER] = VALUE"
            if is_new
            else "set NAME [PERMS [OWNER]] = VALUE"
        )
        self.expect_count(words, shape, 2 if is_new else 1, 3)
        name, *rest = words
        perms = self.perms("property", rest[0]) if rest else None
        owner = self.objid(rest[1]) if len(rest) > 1 else None
        if self.line[self.column : self.column + 1] != "=":
            self.fail(shape, "no =")
        self.column += 1
        line = self.number
        self.skip_blanks()
        value: Value | None
        if not is_new and self.line[self.column :].split() == ["clear"]:
            value = None
        else:
            value = self.value()
        return PropertySource(name, is_new, perms, owner, value, line)

    def read_verb(self, words: list[str]) -> VerbSource:
        has_program = words[-1:] != ["unprogrammed"]
        if not has_program:
            words = words[:-1]
        shape = "verb NAMES DOBJ PREP IOBJ PERMS [OWNER]"
        names, dobj, prep, iobj, perms, *rest = self.expect_count(words, shape, 5, 6)
        for spec in (dobj, iobj):
            if spec not in ("this", "any", "none"):
                self.fail("this, any or none", spec)
        perms = self.perms("verb", perms)
        owner = self.objid(rest[0]) if rest else None
        line = self.number + 1
        code: list[str] | None = None
        if has_program:
            code = []
            while True:
                if not self.next_line():
                    self.fail(f'"." at the end of the verb "{names}"', "the file's end")
                if self.line == ".":
                    break
                code.append(self.line)
            # The words of this line have been read.
            self.column = len(self.line)
        return VerbSource(
            names,
            dobj,
            prep,
            iobj,
            perms,
            owner,
            None if code is None else tuple(code),
            line,
        )


_HEADER: Final = ("object", "name", "owner", "parent", "location", "flags")
