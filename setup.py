"""Metadata is in pyproject.toml; made here is the readme, for those who have no repository at hand.

On an index of packages its pictures and files are not there: pictures are left out, and of relative
links the words stay.
"""

import re
from pathlib import Path

from setuptools import setup


def readme_alone(text):
    """Leave out of a readme in Markdown what only its repository can show."""
    text = re.sub(r"^!\[[^]]*\]\((?!https?:)[^)]*\)\n*", "", text, flags=re.MULTILINE)
    return re.sub(r"(?<!!)\[([^]]+)\]\((?!https?:|#)[^)]*\)", r"\1", text)


if __name__ == "__main__":
    text = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    setup(
        long_description=readme_alone(text),
        long_description_content_type="text/markdown",
    )
