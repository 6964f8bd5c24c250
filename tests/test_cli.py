"""The command `gotrace`: what it prints, writes and answers to the shell."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import jsonschema
import pytest
from shopfront import BUDGET, FAST, text

from pytest_gotrace.budget import load
from pytest_gotrace.cli import main

FAILING = 'package till\n\nimport "testing"\n\nfunc BenchmarkX(b *testing.B) { b.Fatal("no") }\n'


class TestInit:
    def test_first_budget(self, shop):
        """`gotrace init` measures and writes a budget that a first session passes."""
        (shop.root / "gotrace.yaml").unlink()
        result = shop.gotrace("init", "--pairs=2", "--run-time=20ms")
        assert result.ret == 0, text(result)
        result.stdout.fnmatch_lines(
            "wrote *gotrace.yaml; look through it, then run: pytest --gotrace-baseline"
        )
        budget = load(shop.root / "gotrace.yaml")
        assert {rule.benchmark_glob for rule in budget.rules} == {
            "till/BenchmarkPay/small",
            "till/BenchmarkPay/large",
            "till/BenchmarkServe",
        }
        assert "region[look].p50" in {str(rule.key) for rule in budget.rules}
        assert shop.leftovers() == []
        shop.commit("a budget")
        assert shop.pytest("--gotrace-baseline", *FAST).ret == 0

    def test_refusals(self, shop):
        """It overwrites no budget, and wants a module."""
        again = shop.gotrace("init")
        assert again.ret == 4
        again.stderr.fnmatch_lines("gotrace: *gotrace.yaml exists already; *")
        elsewhere = shop.gotrace("init", "till")
        assert elsewhere.ret == 4
        elsewhere.stderr.fnmatch_lines("gotrace: *till has no go.mod; *")

    def test_failing_benchmark(self, shop):
        """A benchmark that fails ends it with 6, and nothing is written."""
        (shop.root / "gotrace.yaml").unlink()
        shop.write(till__odd_test_dot_go=FAILING)
        result = shop.gotrace("init", "--pairs=2")
        assert result.ret == 6
        result.stderr.fnmatch_lines("gotrace: *BenchmarkX failed: *no")
        assert not (shop.root / "gotrace.yaml").exists()


class TestExplain:
    def test_rules(self, original):
        """`gotrace explain` says which line of the budget speaks for which benchmark."""
        result = original.gotrace("explain")
        assert result.ret == 0
        rows = [line.split() for line in result.outlines if "till/" in line]
        assert rows == [
            ["till/BenchmarkPay/small", "allocs/op:", "+10%", "fail", "gotrace.yaml:4"],
            ["till/BenchmarkPay/large", "allocs/op:", "+10%", "fail", "gotrace.yaml:4"],
            ["till/BenchmarkServe", "region[look].p50:", "+100%", "and", "1us", "fail", "gotrace.yaml:6"],
        ]

    def test_errors(self, shop):
        """What is wrong with a budget is one line, with exit code 4."""
        shop.budget(BUDGET.replace("allocs/op", "alocs/op"))
        wrong = shop.gotrace("explain")
        assert wrong.ret == 4
        wrong.stderr.fnmatch_lines("gotrace: *gotrace.yaml:4: *did you mean 'allocs/op'*")
        absent = shop.gotrace("explain", "no.yaml")
        assert absent.ret == 4
        assert "no.yaml" in text(absent)
        assert "Traceback" not in text(absent)


class TestSchema:
    def test_schema(self, original):
        """`gotrace schema` prints a JSON Schema, which is one."""
        result = original.gotrace("schema")
        assert result.ret == 0
        jsonschema.Draft202012Validator.check_schema(json.loads("\n".join(result.outlines)))


class TestShow:
    @pytest.mark.parametrize(
        ("content", "code", "message"),
        [
            (None, 4, "No such file"),
            (b"", 6, "empty"),
            (b"go 1.21 trace\x00\x00\x00", 6, r"Go 1\.21"),
            (b"go 1.22 trace\x00\x00\x00\x01\x02\x03", 6, "byte"),
            (b"MZ this is no trace at all", 6, "no"),
        ],
        ids=["absent", "empty", "old", "cut", "foreign"],
    )
    def test_bad_trace(self, original, tmp_path, content, code, message):
        """A trace that cannot be read is one line that says why."""
        path = tmp_path / "x.trace"
        if content is not None:
            path.write_bytes(content)
        result = original.gotrace("show", str(path))
        assert result.ret == code
        (line,) = (line for line in result.errlines if line)
        assert "x.trace" in line
        assert re.search(message, line)


@pytest.mark.parametrize(
    ("arguments", "field"), [([], "budgets"), (["budget"], "budgets"), (["report"], "verdicts")]
)
def test_schemas(capsys, arguments, field):
    """`gotrace schema` prints the schema of a budget, or of `report.json`; both are valid schemas."""
    assert main(["schema", *arguments]) == 0
    schema = json.loads(capsys.readouterr().out)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert field in schema["properties"]


class TestCommand:
    def test_nothing_asked(self, original):
        """Without a command it says which there are."""
        result = original.gotrace()
        assert result.ret == 4
        assert "COMMAND" in text(result)

    def test_light(self):
        """Asking for help loads nothing heavy."""
        code = (
            "import sys; from pytest_gotrace.cli import _parser; _parser().format_help(); print(*sys.modules)"
        )
        loaded = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout
        assert not {"numpy", "scipy", "yaml", "jinja2", "rich", "pytest"} & set(loaded.split())
