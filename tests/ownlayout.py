"""The project's template that docs/templates.md shows."""

from __future__ import annotations

import re
from pathlib import Path

from pytest_gotrace.templating import UserTemplate

PAGE = Path(__file__).parents[1] / "docs" / "templates.md"


def documented() -> UserTemplate:
    """The example of the page, as if it stood in a file of that name."""
    name, source = re.search(
        r"`(\S+\.md\.j2)`:\n\n```jinja\n(.*?)```\n", PAGE.read_text(encoding="utf-8"), re.DOTALL
    ).groups()
    return UserTemplate(path=name, source=source)
