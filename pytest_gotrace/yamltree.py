"""A YAML file as a tree of places, each of which knows its line and how one gets there.

The YAML is composed into nodes and never constructed into objects: the nodes keep the lines, and no tag can
make anything. Anchors, aliases and tags are refused; size, depth and number of nodes are bounded, so that a
hostile file costs a few seconds at most.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, TypeVar, cast

import yaml

from pytest_gotrace.errors import BudgetError, UsageError
from pytest_gotrace.metrics import nearest
from pytest_gotrace.units import quoted

MAX_BYTES = 1 << 20
MAX_DEPTH = 8
MAX_NODES = 20_000

_T = TypeVar("_T")
_QUOTE_GLOBS = "; a name that begins with * must be in quotes"

#: What PyYAML says when it fails, and what people then usually have to do.
_HINTS = {
    "scanning an alias": _QUOTE_GLOBS,
    "'\\t'": "; indent with blanks, not with tabs",
    "expected ',' or '}'": "; between { and }, a name that has brackets must be in quotes",
    "a single document": "; only one document (---) is allowed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A node, and how one gets there from the top of the file. `key` is the name it stands under."""

    node: yaml.Node
    path: Path
    trail: tuple[str, ...] = ()
    key: yaml.Node | None = None

    @property
    def is_mapping(self) -> bool:
        """Whether names and values stand there."""
        return isinstance(self.node, yaml.MappingNode)

    @property
    def span(self) -> tuple[int, int]:
        """Where the value stands in the file's text: its first character, and the one after its last."""
        return int(self.node.start_mark.index), int(self.node.end_mark.index)

    @property
    def quotes(self) -> str:
        """The quotes around the value, or ""."""
        style = self.node.style if isinstance(self.node, yaml.ScalarNode) else None
        return style if style in ("'", '"') else ""

    @property
    def in_flow(self) -> bool:
        """Whether it is a mapping between { and }."""
        return isinstance(self.node, yaml.MappingNode) and bool(self.node.flow_style)

    @property
    def start(self) -> tuple[int, int]:
        """Where the entry begins, at its name: character of the text, and column."""
        mark = (self.key or self.node).start_mark
        return int(mark.index), int(mark.column)

    @property
    def line(self) -> int:
        """Where the entry begins: at its name, if it has one."""
        return int((self.key or self.node).start_mark.line) + 1

    def error(self, message: str, node: yaml.Node | None = None) -> BudgetError:
        """An error at `node`, by default at the value itself."""
        where = "".join(f"{name if name.isprintable() else quoted(name)}: " for name in self.trail)
        return BudgetError(where + message, self.path, int((node or self.node).start_mark.line) + 1)

    def error_at_name(self, message: str) -> BudgetError:
        """An error at the name that the value stands under."""
        return self.error(message, self.key)

    def text(self, expected: str = "a value") -> str:
        """What stands there, as text and unconverted."""
        if not isinstance(self.node, yaml.ScalarNode) or self.node.tag.endswith(":null"):
            raise self.error(f"expected {expected}, found {self.found()}")
        return str(self.node.value)

    def read(self, parse: Callable[[str], _T], expected: str = "a value") -> _T:
        """The value by way of `parse`, whose `UsageError` gets this place."""
        try:
            return parse(self.text(expected))
        except BudgetError:
            raise
        except UsageError as error:
            raise self.error(str(error)) from error

    def entries(self, expected: str) -> dict[str, Place]:
        """A mapping of at least one entry, by name. A name that comes twice is refused."""
        if not isinstance(self.node, yaml.MappingNode) or not self.node.value:
            raise self.error(f"expected {expected}, found {self.found()}")
        entries: dict[str, Place] = {}
        for key, value in self.node.value:
            if not isinstance(key, yaml.ScalarNode) or not key.value:
                raise self.error("expected a name before the colon", key)
            entry = Place(node=value, path=self.path, trail=(*self.trail, key.value), key=key)
            if key.value in entries:
                raise entry.error(
                    f"stands here a second time; the first is on line {entries[key.value].line}", key
                )
            entries[key.value] = entry
        return entries

    def fields(self, allowed: Sequence[str], required: Sequence[str] = ()) -> dict[str, Place]:
        """A mapping whose names are all among `allowed`, and have all of `required`."""
        names = f"names: {', '.join(allowed)}"
        fields = self.entries(f"a mapping with the {names}")
        for name, field in fields.items():
            if name not in allowed:
                raise self.error(f"unknown name {quoted(name)}{nearest(name, allowed)}; {names}", field.key)
        for name in required:
            if name not in fields:
                raise self.error(f"{name!r} is missing; {names}", self.key)
        return fields

    def items(self, expected: str) -> list[Place]:
        """A list, its items numbered from 1 in messages."""
        if not isinstance(self.node, yaml.SequenceNode):
            raise self.error(f"expected {expected}, found {self.found()}")
        *outer, name = self.trail
        return [
            Place(node=node, path=self.path, trail=(*outer, f"{name}[{number}]"))
            for number, node in enumerate(self.node.value, start=1)
        ]

    def found(self) -> str:
        """What stands there, for a message."""
        if isinstance(self.node, yaml.ScalarNode):
            return "nothing" if self.node.tag.endswith(":null") else quoted(str(self.node.value))
        kind = "list" if isinstance(self.node, yaml.SequenceNode) else "mapping"
        return f"a {kind}" if self.node.value else f"an empty {kind}"


class _RefusedError(yaml.MarkedYAMLError):
    """YAML, but not for a budget."""


class _Composer(yaml.SafeLoader):
    """PyYAML up to the tree of nodes, without what makes a tree larger than its file or hides its meaning."""

    depth = 0
    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event = cast(yaml.Event, cast(Any, self).peek_event())  # not typed
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._refuse(event, f"anchors (&) and aliases (*) are not allowed{_QUOTE_GLOBS}")
        if getattr(event, "tag", None):
            self._refuse(event, "tags (!) are not allowed")
        if isinstance(event, yaml.ScalarEvent) and not _readable(event.value):
            self._refuse(event, f"character that cannot be printed in {quoted(event.value)}")
        if self.depth >= MAX_DEPTH:
            self._refuse(event, f"nested more than {MAX_DEPTH} deep")
        if self.nodes >= MAX_NODES:
            self._refuse(event, f"more than {MAX_NODES} names and values, which no budget needs")
        self.depth += 1
        self.nodes += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def _refuse(self, event: yaml.Event, message: str) -> NoReturn:
        raise _RefusedError(problem=message, problem_mark=cast(Any, event.start_mark))


def read(path: Path) -> Place:
    """The top of the file's one document. Raises `BudgetError` where it is not YAML or too much of it."""
    text = text_of(path)
    composer: _Composer | None = None
    try:
        composer = _Composer(text)
        node = composer.get_single_node()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise BudgetError(
            f"not YAML: character {chr(error.character)!r} is not allowed", path, line
        ) from error
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        kind = "" if isinstance(error, _RefusedError) else "not YAML: "
        hint = next((hint for sign, hint in _HINTS.items() if sign in str(error)), "")
        raise BudgetError(f"{kind}{error.problem}{hint}", path, mark.line + 1 if mark else None) from error
    except (ValueError, OverflowError) as error:  # PyYAML on an escape beyond Unicode
        raise BudgetError(f"not YAML: {error}", path, composer.line + 1 if composer else None) from error
    if node is None:
        raise BudgetError("the file is empty; `gotrace init` writes one to start from", path, 1)
    return Place(node=node, path=path)


def text_of(path: Path) -> str:
    """The text of the file, without a byte order mark; line ends are as they are. Raises `BudgetError`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise BudgetError("no such file; `gotrace init` writes one to start from", path) from None
    except OSError as error:
        raise BudgetError(f"cannot be read: {error.strerror}", path) from error
    if len(data) > MAX_BYTES:
        raise BudgetError(f"larger than {MAX_BYTES >> 20} MiB, which no budget needs", path)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BudgetError(
            f"not UTF-8: byte 0x{data[error.start]:02x}; save the file as UTF-8", path, line
        ) from error


def _readable(text: str) -> bool:
    return all(character.isprintable() or character in "\n\t" for character in text)
