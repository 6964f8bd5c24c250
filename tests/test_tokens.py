"""What differs only in comments, blank lines and formatting is alike; what a comment says to the toolchain is code."""

from __future__ import annotations

import os

import pytest
from gobench import TOOLCHAIN
from gomodule import go_module

from pytest_gotrace.gotest import child_environment
from pytest_gotrace.tokens import Sources

ENV = {**child_environment(os.environ), "CGO_ENABLED": "1", "GOFLAGS": ""}

CODE = """package p

import "testing"

// Work works.
func Work() int {
	return 1
}

func BenchmarkWork(b *testing.B) {
	for i := 0; i < b.N; i++ {
		Work()
	}
}
"""


def sources(root, base, head, changed=(), env=ENV, scratch=None):
    """Two modules of these files, by name with its ending."""
    for side, files in (("base", base), ("head", head)):
        go_module(root / side)
        for name, text in files.items():
            path = root / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    both = (root / "base", root / "head")
    return Sources(TOOLCHAIN, both, "", changed, scratch=scratch or root / "scratch", env=env)


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """Where the program is that is built once."""
    return tmp_path_factory.mktemp("tokens")


WORK = "func Work() int {"
NOINLINE = CODE.replace(WORK, f"//go:noinline\n{WORK}")

#: What is done to a test file -> whether it is the same code. `old` is the base, else it is `CODE`.
CASES = {
    "nothing": (CODE, CODE, True),
    "comment before": (CODE, f"// Package p.\n\n{CODE}", True),
    "comment within": (CODE, CODE.replace("return 1", "// one\n\treturn /* 1 */ 1 // one"), True),
    "comment over lines": (CODE, CODE.replace("return 1", "return 1 /* one\n\n\t*/"), True),
    "comment gone": (CODE, CODE.replace("// Work works.\n", ""), True),
    "blank lines": (CODE, CODE.replace("\n", "\n\n").replace("\t", "    "), True),
    "semicolon": (CODE, CODE.replace("return 1\n", "return 1;"), True),
    "end of file": (CODE, CODE.rstrip("\n"), True),
    "carriage returns": (CODE, CODE.replace("\n", "\r\n"), True),
    "raw string": (CODE.replace("Work works", "`a`"), CODE.replace("Work works", "`b`"), True),
    "newline that ends": (
        CODE.replace("return 1", "return (1 +\n1)"),
        CODE.replace("return 1", "return (1 + 1)"),
        True,
    ),
    "directive moved down": (NOINLINE, NOINLINE.replace("//go:noinline", "\n// so\n//go:noinline"), True),
    "literal": (CODE, CODE.replace("return 1", "return 2"), False),
    "operator": (CODE, CODE.replace("i++", "i--"), False),
    "name": (CODE, CODE.replace("Work", "Word"), False),
    "space in a string": (
        CODE + 'const s = "a b"\n',
        CODE + 'const s = "a  b"\n',
        False,
    ),
    "line in a string": (CODE + "const s = `a\nb`\n", CODE + "const s = `a\n\nb`\n", False),
    "newline that parts": (
        CODE.replace("return 1", "x := 1\n-1"),
        CODE.replace("return 1", "x := 1 -1"),
        False,
    ),
    "new directive": (CODE, NOINLINE, False),
    "directive gone": (NOINLINE, CODE, False),
    "another directive": (NOINLINE, NOINLINE.replace("noinline", "nosplit"), False),
    "directive made a remark": (NOINLINE, NOINLINE.replace("//go:", "// go:"), False),
    "directive moved on": (
        NOINLINE,
        CODE.replace("func Bench", "//go:noinline\nfunc Bench"),
        False,
    ),
    "directive behind code": (
        NOINLINE,
        CODE.replace("\n// Work works.", " //go:noinline\n"),
        False,
    ),
    "constraint": (CODE, f"//go:build linux || !linux\n\n{CODE}", False),
    "old constraint": (CODE, f"// +build linux !linux\n\n{CODE}", False),
    "line": (CODE, CODE.replace("// Work", "//line other.go:7\n// Work"), False),
    "line in a comment": (CODE, CODE.replace("return 1", "return /*line other.go:7:2*/ 1"), False),
    "linkname": (CODE, CODE.replace("// Work", "//go:linkname Work other.Work\n// Work"), False),
    "export": (CODE, CODE.replace("// Work works.", "//export Work"), False),
    "example is run": (CODE, CODE.replace("return 1", "// Output: 1\n\treturn 1"), False),
    "fault": (CODE + '\nconst s = "', CODE + '\n\nconst s = "', False),
}


@pytest.fixture(scope="module")
def cases(tmp_path_factory, scratch):
    """Every case in a package of its own."""
    root = tmp_path_factory.mktemp("cases")
    base, head = (
        {f"c{number}/p_test.go": pair[side] for number, pair in enumerate(CASES.values())} for side in (0, 1)
    )
    return sources(root, base, head, scratch=scratch)


@pytest.mark.parametrize("case", CASES)
def test_tokens(cases, case):
    """Comments and layout are no code, directives are, and automatic semicolons are those of Go's scanner."""
    number = list(CASES).index(case)
    assert cases.alike(f"example.com/m/c{number}", f"c{number}") is CASES[case][2]


MOD = "module example.com/m\n\ngo 1.22\n"
USES = 'package p\n\nimport (\n\t"testing"\n\n\t"example.com/m/d"\n)\n\nfunc BenchmarkX(b *testing.B) { d.D() }\n'
CGO = 'package d\n\n/*\nint one(void) { return 1; }\n*/\nimport "C"\n\nfunc D() { C.one() }\n'
EMBEDS = 'package d\n\nimport _ "embed"\n\n//go:embed text.md\nvar text string\n\nfunc D() { _ = text }\n'
PLAIN = "package d\n\nfunc D() {}\n"

#: Files beside the test that differ -> whether the test binary is the same code.
FILES = {
    "dependency, comment": ({"d/d.go": PLAIN}, {"d/d.go": f"// D.\n{PLAIN}"}, True),
    "dependency, code": ({"d/d.go": PLAIN}, {"d/d.go": PLAIN.replace("{}", "{ println() }")}, False),
    "document": ({"d/d.go": PLAIN, "README.md": "a"}, {"d/d.go": PLAIN, "README.md": "b"}, True),
    "other package": (
        {"d/d.go": PLAIN, "e/e.go": "package e\n"},
        {"d/d.go": PLAIN, "e/f.go": "package f\n"},
        True,
    ),
    "test outside of the package": (
        {"d/d.go": PLAIN, "p/x_test.go": "package p_test\n"},
        {"d/d.go": PLAIN, "p/x_test.go": "// P.\n\npackage p_test\n"},
        True,
    ),
    "code outside of the package": (
        {"d/d.go": PLAIN, "p/x_test.go": "package p_test\n"},
        {"d/d.go": PLAIN, "p/x_test.go": "package p_test\n\nvar X int\n"},
        False,
    ),
    "new file": ({"d/d.go": PLAIN}, {"d/d.go": PLAIN, "d/e.go": "package d\n"}, False),
    "renamed file": ({"d/d.go": PLAIN}, {"d/e.go": PLAIN}, False),
    "file that is left out": (
        {"d/d.go": PLAIN, "d/d_plan9.go": "package d\n"},
        {"d/d.go": PLAIN, "d/d_plan9.go": "package d\n\nvar X int\n"},
        True,
    ),
    "cgo preamble": ({"d/d.go": CGO}, {"d/d.go": CGO.replace("return 1", "return 2")}, False),
    "cgo comment": ({"d/d.go": CGO}, {"d/d.go": CGO.replace("func D", "// D.\nfunc D")}, False),
    "embedded": ({"d/d.go": EMBEDS, "d/text.md": "a"}, {"d/d.go": EMBEDS, "d/text.md": "b"}, False),
    "embedding, comment": (
        {"d/d.go": EMBEDS, "d/text.md": "a"},
        {"d/d.go": EMBEDS + "// end\n", "d/text.md": "a"},
        True,
    ),
    "assembly": ({"d/d.go": PLAIN, "d/d.s": "// a\n"}, {"d/d.go": PLAIN, "d/d.s": "// b\n"}, False),
    "header": ({"d/d.go": PLAIN, "c/x.h": "// a\n"}, {"d/d.go": PLAIN, "c/x.h": "// b\n"}, False),
    "go.mod, comment": ({"d/d.go": PLAIN, "go.mod": MOD}, {"d/d.go": PLAIN, "go.mod": f"// m\n{MOD}"}, True),
    "go.mod, language": (
        {"d/d.go": PLAIN, "go.mod": MOD},
        {"d/d.go": PLAIN, "go.mod": MOD.replace("1.22", "1.21")},
        False,
    ),
    "go.mod below": ({"d/d.go": PLAIN}, {"d/d.go": PLAIN, "e/go.mod": "module example.com/e\n"}, False),
    "go.sum": ({"d/d.go": PLAIN, "go.sum": ""}, {"d/d.go": PLAIN, "go.sum": "\n"}, False),
    "profile": (
        {"d/d.go": PLAIN, "p/default.pgo": ""},
        {"d/d.go": f"// D.\n{PLAIN}", "p/default.pgo": ""},
        False,
    ),
    "parser of Go": (
        {"d/d.go": PLAIN.replace("d\n", 'd\n\nimport _ "go/parser"\n', 1)},
        {"d/d.go": PLAIN.replace("d\n", 'd\n\nimport _ "go/parser" // Go\n', 1)},
        False,
    ),
    "broken": ({"d/d.go": PLAIN}, {"d/d.go": "packag d\n"}, False),
}


@pytest.mark.parametrize("case", FILES)
def test_files(tmp_path, scratch, case):
    """Files of every kind count for the packages that are made of them; what cannot be decided is not alike."""
    base, head, alike = FILES[case]
    changed = [name for name in sorted(base.keys() | head.keys()) if base.get(name) != head.get(name)]
    both = sources(
        tmp_path, base | {"p/p_test.go": USES}, head | {"p/p_test.go": USES}, changed, scratch=scratch
    )
    assert both.alike("example.com/m/p", "p") is alike


@pytest.mark.parametrize(
    ("flags", "alike"), [("-race", True), ("-pgo=p.pgo", False), ("-v --overlay=o", False)]
)
def test_flags(tmp_path, scratch, flags, alike):
    """Where build flags make other files than those on disk count, or their lines, nothing is decided."""
    base, head = ({"p_test.go": text} for text in (CODE, CODE + "// end\n"))
    both = sources(tmp_path, base, head, ("p_test.go",), {**ENV, "GOFLAGS": flags}, scratch)
    assert both.alike("example.com/m", "") is alike


def test_a_replaced_module(tmp_path, scratch):
    """A module of the repository that stands in for another is compared like the rest."""
    mod = f"{MOD}\nrequire example.com/r v1.0.0\n\nreplace example.com/r => ./r\n"
    test = USES.replace("example.com/m/d", "example.com/r")
    base = {"go.mod": mod, "p/p_test.go": test, "r/go.mod": "module example.com/r\n", "r/r.go": PLAIN}
    for text, alike in ((f"// D.\n{PLAIN}", True), (PLAIN + "\nvar X int\n", False)):
        root = tmp_path / str(alike)
        assert (
            sources(root, base, base | {"r/r.go": text}, ("r/r.go",), scratch=scratch).alike(
                "example.com/m/p", "p"
            )
            is alike
        )
