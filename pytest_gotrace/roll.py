"""The roll of a recording: which benchmarks there were, on which sides, and what became of those without numbers.

Runs alone do not say that a benchmark is gone, is the same on both sides, panicked, or was left out; whoever judges a
recording elsewhere has to know. One line of the recording for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, cast, get_args

Presence = Literal["found", "absent", "skipped", "failed"]
_PRESENCES = get_args(Presence)
_SIDES = ("base", "head")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """A program that failed: what is said about it, the command, its exit code, and the end of what it printed."""

    message: str
    command: tuple[str, ...] = ()
    returned: int | None = None
    tail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A benchmark on one side; `detail` says why it did not run."""

    presence: Presence
    detail: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One benchmark, by module, package below it, and name; a package of which nothing is known has the name "".

    `asked`: a rule about it was selected, so that it was measured if it could be. `untouched`: a package that was left
    out, as no change reaches it. `failures` are those of the measuring, by side.
    """

    module: str
    package: str
    name: str
    base: Seen
    head: Seen
    asked: bool
    identical: bool = False
    by_tokens: bool = False
    untouched: bool = False
    failures: Mapping[str, Trouble] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """How reports call it."""
        return "/".join(filter(None, (self.module, self.package, self.name))) or "."


def to_json(listed: Listed) -> dict[str, Any]:
    """The line of one benchmark, without its kind."""
    return asdict(listed)


def from_json(value: Mapping[str, Any]) -> Listed:
    """What `to_json` gave. Raises `KeyError`, `TypeError` or `ValueError` for anything else."""
    return Listed(
        **{name: _text(value[name]) for name in ("module", "package", "name")},
        **{name: _flag(value[name]) for name in ("asked", "identical", "by_tokens")},
        untouched=_flag(value.get("untouched", False)),  # older recordings do not say
        base=_seen(value["base"]),
        head=_seen(value["head"]),
        failures={_side(side): _trouble(trouble) for side, trouble in _object(value["failures"]).items()},
    )


def _seen(value: Any) -> Seen:
    fields = _object(value)
    if fields["presence"] not in _PRESENCES:
        raise ValueError(f"a benchmark is {', '.join(_PRESENCES)}, and not {str(fields['presence'])[:40]!r}")
    trouble = fields["trouble"]
    return Seen(
        presence=cast(Presence, fields["presence"]),
        detail=_text(fields["detail"]),
        trouble=None if trouble is None else _trouble(trouble),
    )


def _trouble(value: Any) -> Trouble:
    fields = _object(value)
    return Trouble(
        message=_text(fields["message"]),
        command=tuple(map(_text, _list(fields["command"]))),
        returned=None if fields["returned"] is None else _whole(fields["returned"]),
        tail=_text(fields["tail"]),
    )


def _side(value: Any) -> str:
    if value not in _SIDES:
        raise ValueError(f"a side is base or head, and not {str(value)[:40]!r}")
    return str(value)


def _a(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"expected {kind.__name__}, found {type(value).__name__}")
        return value

    return check


_text, _flag, _whole, _list, _object = map(_a, (str, bool, int, list, dict))
