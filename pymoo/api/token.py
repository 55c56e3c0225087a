"""The secret that whoever calls a world over HTTP must know, in a file of its own."""

from __future__ import annotations

import os
import re
import secrets
import stat
from typing import Final

from pymoo.errors import PymooError

MIN_LENGTH: Final = 16
_BYTES: Final = 32
_MAX_SIZE: Final = 4096
_TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")  # RFC 6750, b64token


class TokenFileError(PymooError):
    """A file with a token cannot be used."""


def read_token(path: str) -> str:
    """Return the token in a file that nobody else can read or write.

    Raises: TokenFileError.
    """
    try:
        # Not to wait, should it be a pipe.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            _check_private(path, os.fstat(stream.fileno()))
            data = stream.read(_MAX_SIZE)
    except OSError as error:
        raise TokenFileError(
            f"{path}: the token cannot be read: {error.strerror}. Name the file that "
            "`pymoo serve --http` uses"
        ) from error
    token = data.decode("ascii", "replace").strip()
    if len(token) < MIN_LENGTH or not _TOKEN.fullmatch(token):
        raise TokenFileError(
            f"{path}: is no token: one has {MIN_LENGTH} or more letters, digits or "
            "-._~+/. Remove the file, and `pymoo serve --http` makes a good one"
        )
    return token


def read_or_make_token(path: str) -> str:
    """Return the token in a file, which is made with a random one if it is not there.

    Raises: TokenFileError.
    """
    token = secrets.token_urlsafe(_BYTES)
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_token(path)
    except OSError as error:
        raise TokenFileError(
            f"{path}: a token cannot be kept there: {error.strerror}. Name a file in a "
            "folder that can be written to"
        ) from error
    with open(number, "w", encoding="ascii") as stream:
        stream.write(f"{token}\n")
    return token


def _check_private(path: str, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise TokenFileError(f"{path}: is no file. Name one, for the token")
    if status.st_uid != os.geteuid():
        raise TokenFileError(
            f"{path}: belongs to another user, who could know the token. Name a file "
            "of your own"
        )
    if stat.S_IMODE(status.st_mode) & 0o077:
        raise TokenFileError(
            f"{path}: others can read or change it, so the token is no secret. Remove "
            f"the file and have another one made, or: chmod 600 {path}"
        )
