"""Pages of the site and the README as programs: their blocks in order, in one namespace."""

import doctest
import re
import textwrap
from dataclasses import dataclass

import pytest
from real_files import SHARED, model_file

# what a block may be besides Python that runs
NOT_RUN = {"console", "text", "none", "csv", "latex"}
_RST = re.compile(r"^( *)\.\. (code-block|testsetup|testcode)::[ ]*(.*)$")
_MARKDOWN = re.compile(r"^```(\w*)\s*$")


@dataclass
class Block:
    """Something between two lines of prose."""

    kind: str  # "doctest", "python", "setup", or the name of a language
    code: str
    line: int


def blocks_of(path):
    """Return the blocks of a page in order.

    ``.. testsetup::`` holds what readers need not see; the site leaves it out.
    """
    text = path.read_text(encoding="utf-8")
    return markdown_blocks(text) if path.suffix == ".md" else rst_blocks(text)


def rst_blocks(text):
    """Blocks of reStructuredText; ``::`` at the end of a line is one, too."""
    lines, out, prose, start, i = text.splitlines(), [], [], 0, 0

    def flush(end):
        if any(line.lstrip().startswith(">>>") for line in prose):
            out.append(Block("doctest", "\n".join(prose) + "\n", start))
        prose.clear()
        return end

    while i < len(lines):
        found = _RST.match(lines[i])
        bare = lines[i].rstrip().endswith("::") and not lines[i].lstrip().startswith("..")
        if not found and not bare:
            prose.append(lines[i])
            i += 1
            continue
        at, indent = i, len(lines[i]) - len(lines[i].lstrip())
        i += 1
        body = []
        while i < len(lines) and (not lines[i].strip() or lines[i].startswith(" " * (indent + 1))):
            body.append(lines[i])
            i += 1
        start = flush(i)
        code = textwrap.dedent("\n".join(body))
        code = re.sub(r"\A(\s*:[\w-]+:.*\n)+", "", code)
        kind = "literal" if bare else found[3].strip() or "python"
        if found and found[2] == "testsetup":
            kind = "setup"
        out.append(Block(kind, code, at + 1))
    flush(i)
    return out


def markdown_blocks(text):
    """Fenced blocks of Markdown; one without a language is a shell session."""
    out, body, kind, start = [], [], None, 0
    for i, line in enumerate(text.splitlines(), 1):
        fence = _MARKDOWN.match(line)
        if fence and kind is None:
            kind, body, start = fence[1] or "console", [], i
        elif fence:
            out.append(Block(kind, "\n".join(body) + "\n", start))
            kind = None
        elif kind is not None:
            body.append(line)
    return out


def run_blocks(blocks, name):
    """Run doctests and Python in order; return what went wrong, in words.

    Where preparing raises pytest's skip, something is not on this machine, and the block that
    follows is compiled only.
    """
    space, said, skip = {"__name__": "__main__"}, [], False
    runner = doctest.DocTestRunner(
        optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE, verbose=False
    )
    for block in blocks:
        where = f"{name}, line {block.line}"
        if block.kind == "doctest":
            test = doctest.DocTestParser().get_doctest(block.code, {}, name, name, block.line)
            test.globs = space
            runner.run(test, out=said.append, clear_globs=False)
        elif block.kind in ("setup", "python"):
            code = compile("\n" * block.line + block.code, name, "exec")
            if skip and block.kind == "python":
                skip = False
                continue
            try:
                exec(code, space)
            except pytest.skip.Exception:
                skip = True
            except Exception as error:
                said.append(f"{where}: {type(error).__name__}: {error}")
                break
    return said


# --- what pages may ask for while they prepare ----------------------------------------------------
def needs_pose_model():
    """Skip what follows where no pose model file is on this machine."""
    if model_file() is None:
        pytest.skip("no pose model file")


def shared_file(*parts):
    """Return a file of ../shared, or skip."""
    path = SHARED.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"{path.name} is not in ../shared")
    return path
