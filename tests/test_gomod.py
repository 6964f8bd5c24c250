"""What changed in a `go.mod` is said with names and versions, and comments are no change."""

from __future__ import annotations

import os

import pytest
from gobench import TOOLCHAIN

from pytest_gotrace.errors import GoTestError
from pytest_gotrace.gomod import notes, read_mod
from pytest_gotrace.gotest import child_environment

ENV = child_environment(os.environ)
MOD = """module example.com/m

go 1.22

toolchain go1.22.3

require (
	example.com/a v1.0.0
	example.com/b v0.3.0 // indirect
)

replace example.com/b => ../b
"""


def said(tmp_path, head, base=MOD):
    for side, text in (("base", base), ("head", head)):
        (tmp_path / side).mkdir()
        (tmp_path / side / "go.mod").write_text(text)
    return notes(TOOLCHAIN, tmp_path / "base", tmp_path / "head", "", ENV)


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("a v1.0.0", "a v1.2.0", "dependencies changed: example.com/a v1.0.0 → v1.2.0"),
        ("\texample.com/a v1.0.0\n", "", "dependencies changed: example.com/a v1.0.0 (gone)"),
        (
            "\texample.com/a v1.0.0\n",
            "\texample.com/a v1.0.0\n\texample.com/c v1.0.0\n",
            "dependencies changed: example.com/c v1.0.0 (new)",
        ),
        ("../b", "./b", "replaced modules changed: example.com/b => ../b → ./b"),
        ("go 1.22\n", "go 1.23\n", "the go line changed: 1.22 → 1.23"),
        (
            "go1.22.3",
            "go1.24.0",
            f"the toolchain line changed: go1.22.3 → go1.24.0; both sides were built with {TOOLCHAIN.text}",
        ),
    ],
)
def test_a_change_is_one_sentence(tmp_path, old, new, change):
    """Requirements, replacements, the language and the toolchain are told, old and new."""
    assert said(tmp_path, MOD.replace(old, new)) == (f"go.mod: {change}",)


def test_comments_change_nothing(tmp_path):
    """A comment and another layout are no change; `// indirect` does not change what is built either."""
    head = MOD.replace("go 1.22\n", "// lang\ngo 1.22\n\n").replace("\texample", "    example")
    assert said(tmp_path, head) == ()
    base, changed = (read_mod(TOOLCHAIN, tmp_path / side / "go.mod", ENV) for side in ("base", "head"))
    assert base == changed


def test_many_changes_are_cut(tmp_path):
    """A sentence lists six changes and says how many there are besides."""
    more = "".join(f"\texample.com/x{number} v1.0.{number}\n" for number in range(9))
    (change,) = said(tmp_path, MOD.replace("require (\n", f"require (\n{more}"))
    assert change.endswith("example.com/x5 v1.0.5 (new) and 3 more")


def test_what_cannot_be_read(tmp_path):
    """A `go.mod` that is damaged or only on one side gives no notes here, and an error to whoever asks for it."""
    assert said(tmp_path, "modul x\n") == ()
    with pytest.raises(GoTestError, match=r"go\.mod cannot be read"):
        read_mod(TOOLCHAIN, tmp_path / "head" / "go.mod", ENV)
    (tmp_path / "head" / "go.mod").unlink()
    assert notes(TOOLCHAIN, tmp_path / "base", tmp_path / "head", "", ENV) == ()


def test_a_workspace(tmp_path):
    """A `go.work` is read as one, and its `use` lines are part of what is compared."""
    files = []
    for name, text in {"a": "use ./a\n", "b": "// b\nuse ./a\n", "c": "use ./c\n"}.items():
        (tmp_path / name).mkdir()
        file = tmp_path / name / "go.work"
        file.write_text(f"go 1.22\n\n{text}")
        files.append(read_mod(TOOLCHAIN, file, ENV))
    assert files[0] == files[1] != files[2]
