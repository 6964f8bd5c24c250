"""Strings and stacks under one code for a whole file."""

from __future__ import annotations

from array import array

from pytest_gotrace.trace.names import Frame, Names


def test_strings():
    """The same bytes have the same code, the empty string has 0, and bytes that are no text are replaced one by one."""
    names = Names()
    assert names.string(b"") == 0
    code = names.string("é\udcff".encode("utf-8", "surrogateescape"))
    assert names.string(b"\xc3\xa9\xff") == code
    assert names.strings[code] == "é�"
    assert names.strings[names.string(b"\xe2\x82")] == "��"


def test_system():
    """A goroutine is the runtime's by the function it starts in, as Go decides it."""
    names = Names()
    codes = [
        names.string(text) for text in (b"", b"runtime.bgsweep", b"runtime.main", b"main.main", b"runtimex.f")
    ]
    assert [names.system[code] for code in codes] == [1, 1, 0, 0, 0]


def test_stacks():
    """Stacks are tuples of frames, leaf first, put together when asked for."""
    names = Names()
    main, file = names.string(b"main.main"), names.string(b"main.go")
    frames = [names.frame(names.string(b"main.f"), file, 3), names.frame(main, file, 9)]
    code = names.stack(array("i", frames).tobytes(), main)
    assert names.stack(array("i", frames).tobytes(), main) == code == 1
    assert names.stacks[code] == (Frame("main.f", "main.go", 3), Frame("main.main", "main.go", 9))
    assert list(names.stacks) == [(), names.stacks[code]]
    assert names.stacks[0:2] == list(names.stacks)
    assert names.roots[code] == main
