"""Text from outside made harmless, for Markdown and for a terminal.

A benchmark, a region or a function may be called anything, and the report itself may come from a stranger.
In Markdown neither a backslash nor an entity stops a mention or an issue link, but a code span does: so every
name stands in one, and of a sentence every word that is more than a word.
"""

from __future__ import annotations

import re

#: Longest name shown.
NAME_LENGTH = 200
#: Longest text of a picture.
_DRAWN_LENGTH = 80

_BACKTICKS = re.compile(r"`+")

#: Longest run of backticks left as it is: cmark knows no code span of more than 80, no fence of over 255.
_MOST_BACKTICKS = 40

_SPAN = re.compile(r"`([^`]*)`")

#: What may stand in Markdown as it is: a word, a number or a dash, with a sentence's punctuation around it.
#: No `@ # $ & * _ < > [ ] \ | ~`, no dot or colon inside, and no hyphen before a digit (`GH-1` is a link).
#: The numbered characters are the typographic apostrophe, times, minus and dash.
_LETTER = r"[^\W\d_]"
_WORD = rf"{_LETTER}+(?:[-/'\u2019]{_LETTER}+)*"
_NUMBER = rf"[+\u00d7\u2212-]?\d+(?:[.,]\d+)*(?:[-\u2013]\d+)?{_LETTER}*"
_NAME_WITH_DIGITS = r"[^\W_]+"
_SIGN = r"[\u2013\u2014→↔·±≤≥≈]"
_STOPS = ",.;:!?…"
_PLAIN = re.compile(rf"""["(']*(?:{_WORD}|{_NUMBER}|{_NAME_WITH_DIGITS}|{_SIGN})?["')%{_STOPS}]*""")

#: What a text inside a Mermaid diagram may have besides letters and digits.
_DRAWN = frozenset(" .,_-+/=()[]*")

#: Nothing longer is taken for a word.
_WORD_LENGTH = 60

#: Seven hex digits may be a commit, and become a link to it.
_COMMIT = re.compile(r"(?i)\b[0-9a-f]{7,}\b")

#: What makes a paragraph a numbered list.
_LIST_ITEM = re.compile(r"\d+[.)]+")


def visible(text: str) -> str:
    """One line with nothing invisible: control, format and other unprintable characters as `\\u{hex}`."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else f"\\u{{{ord(char):x}}}" for char in text)


def shorten(text: str, length: int) -> str:
    """At most `length` characters, the last of them `…` if something was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"


def code(text: str, *, table: bool = False) -> str:
    """A Markdown code span that shows `text` and nothing else; `table` for the cell of a table."""
    shown = _tame(shorten(visible(text), NAME_LENGTH)) or '""'
    fence = "`" * (1 + _longest_run(shown))
    # A parser takes one space from either end, unless there is nothing but spaces.
    pad = " " if shown.strip(" ") and (shown[0] in "` " or shown[-1] in "` ") else ""
    # A table is cut at every bar, those of code spans included, before anything else is looked at.
    body = shown.replace("|", r"\|") if table else shown
    return f"{fence}{pad}{body}{pad}{fence}"


def prose(text: str, *, table: bool = False) -> str:
    """A sentence of ours that may hold names, those in `backticks` and any other: the names as code spans."""
    pieces = _SPAN.split(" ".join(text.split()))
    spoken = ""
    for index, piece in enumerate(pieces):
        if not piece:
            continue
        said = code(piece, table=table) if index % 2 else _words(piece, table=table, first=not spoken)
        # Two code spans side by side would read as one.
        spoken += f" {said}" if spoken.endswith("`") and said.startswith("`") else said
    return spoken


def mermaid(text: str) -> str:
    """`text` for between the quotes of a Mermaid diagram: at most 80 characters, `_` for what may mean something there.

    Mermaid ends a text at a quote, reads `#35;` as a character, `%%` as a comment, `$$` as a formula and `<` as HTML,
    each in some version and some place. So only what means nothing anywhere stays; the exact name stands beside the
    picture, in Markdown.
    """
    shown = shorten(text, _DRAWN_LENGTH)
    return "".join(char if char.isalnum() or char in _DRAWN or char == "…" else "_" for char in shown)


def fenced(text: str, language: str = "") -> str:
    """A fenced code block with every line of `text`, and no way out of it; `language` is a word of ours."""
    lines = [_tame(visible(line.expandtabs(8))) for line in text.splitlines()]
    fence = "`" * max(3, 1 + max(map(_longest_run, lines), default=0))
    return "\n".join([fence + language, *lines, fence])


def log_line(text: str) -> str:
    """One line for a terminal or a CI log, where no part of it is taken for a command to the runner.

    GitHub's runner obeys `::cmd::` at the start of a line and `##[cmd]` anywhere in one.
    """
    shown = visible(text).replace("##[", r"##\u{5b}")
    return shown.replace("::", r"\u{3a}:", 1) if shown.lstrip(" ").startswith("::") else shown


def _tame(text: str) -> str:
    return text if _longest_run(text) <= _MOST_BACKTICKS else text.replace("`", r"\u{60}")


def _longest_run(text: str) -> int:
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def _words(text: str, *, table: bool, first: bool) -> str:
    words = text.split(" ")
    for index, word in enumerate(words):
        starts_list = first and index == 0 and _LIST_ITEM.fullmatch(word)
        if starts_list or not _is_plain(word):
            words[index] = _named(word, table=table)
    return " ".join(words)


def _named(word: str, *, table: bool) -> str:
    """A word as a code span, with the stops and the brackets of its sentence outside: `(@me),` but `f(x)`."""
    name = word.rstrip(_STOPS)
    extra = name.count("(") - name.count(")")
    begins, ends = name.startswith("("), name.endswith(")")
    opens = begins and (extra > 0 or (extra == 0 and ends))
    closes = ends and (extra < 0 or (extra == 0 and begins))
    name = name[opens : len(name) - closes]
    if not name:
        return code(word, table=table)
    return f"{word[:opens]}{code(name, table=table)}{word[opens + len(name) :]}"


def _is_plain(word: str) -> bool:
    return len(word) <= _WORD_LENGTH and bool(_PLAIN.fullmatch(word)) and not _COMMIT.search(word)
