"""The file with the token."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pymoo.api.token import TokenFileError, read_or_make_token, read_token


def test_a_token_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "token"
    token = read_or_make_token(str(path))
    assert len(token) >= 40
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_or_make_token(str(path)) == read_token(str(path)) == token
    assert read_or_make_token(str(tmp_path / "other")) != token


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o601, 0o666])
def test_a_token_that_others_know_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text("a-token-for-tests-0123456789\n", encoding="ascii")
    path.chmod(mode)
    for read in (read_token, read_or_make_token):
        with pytest.raises(TokenFileError, match="others can read or change it"):
            read(str(path))


@pytest.mark.parametrize(
    "text", ["", "\n", "short", "two words that are long", "\xff" * 20]
)
def test_what_is_no_token_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "token"
    path.write_text(text, encoding="latin-1")
    path.chmod(0o600)
    with pytest.raises(TokenFileError, match="is no token"):
        read_token(str(path))


def test_what_cannot_be_read_or_made_is_said(tmp_path: Path) -> None:
    with pytest.raises(TokenFileError, match="cannot be read"):
        read_token(str(tmp_path / "nothing"))
    with pytest.raises(TokenFileError, match="cannot be kept there"):
        read_or_make_token(str(tmp_path / "nowhere" / "token"))
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(TokenFileError, match="is no file"):
        read_token(str(tmp_path / "pipe"))


def test_a_file_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    read_or_make_token(str(path))
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(TokenFileError, match="belongs to another user"):
        read_token(str(path))
