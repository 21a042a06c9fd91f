"""Messages that the page of errors explains are messages of this package."""

import ast
import pathlib
import tomllib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[1]
GROUPS = tomllib.loads((ROOT / "docs" / "errors.toml").read_text(encoding="utf-8"))["group"]
ERRORS = [error for group in GROUPS for error in group["error"]]


@pytest.fixture(scope="module")
def said():
    """Every text in the source; values in them are ``...``."""
    texts = []
    for file in (ROOT / "skrehab").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                texts.append(
                    "".join(
                        part.value if isinstance(part, ast.Constant) else "..."
                        for part in node.values
                    )
                )
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                texts.append(node.value)
    return texts


def is_said(message, texts):
    """Whether one text holds all pieces of a message, in order."""
    pieces = [piece.strip() for piece in message.split("...") if piece.strip()]
    for text in texts:
        at = 0
        for piece in pieces:
            at = text.find(piece, at)
            if at < 0:
                break
            at += len(piece)
        else:
            return True
    return False


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error["message"][:40])
def test_the_message_is_in_the_source(error, said):
    assert is_said(error["message"], said)
    assert error["cause"].endswith(".") and error["cure"]


def test_a_message_that_is_nowhere_is_noticed(said):
    assert len(ERRORS) >= 15
    assert not is_said("The header has ... no such message", said)
    assert not is_said(" ".join(ERRORS[0]["message"].split()[::-1]), said)
