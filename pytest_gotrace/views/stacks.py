"""Stacks for people: of many calls the one that a reader can do something about."""

from __future__ import annotations

from pytest_gotrace.trace import Frame

#: Where calls pass through on their way into the scheduler.
_PLUMBING = (
    "runtime.",
    "runtime/",
    "internal/",
    "sync.",
    "sync/",
    "syscall.",
    "os.",
    "io.",
    "bufio.",
    "net.",
    "net/http.",
    "net/textproto.",
    "crypto/tls.",
    "time.",
    "context.",
    "poll.",
)


def place(stack: tuple[Frame, ...]) -> tuple[str, str]:
    """The innermost call that is not plumbing of the standard library, as function and `file:line`; else the root."""
    for frame in stack:
        if not frame.function.startswith(_PLUMBING):
            return frame.function, line(frame)
    return (stack[-1].function, line(stack[-1])) if stack else ("", "")


def leaf(stack: tuple[Frame, ...]) -> str:
    """The function that was called last."""
    return stack[0].function if stack else ""


def line(frame: Frame) -> str:
    return f"{frame.file}:{frame.line}"


def calls(stack: tuple[Frame, ...]) -> tuple[str, ...]:
    """Every call as `function file:line`, leaf first."""
    return tuple(f"{frame.function} {line(frame)}" for frame in stack)
