import contextlib
import dataclasses
import json
import typing
from dataclasses import replace

import pytest
import sample_reports as samples
from hostile import any_report
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from pytest_gotrace import explanation, report_json
from pytest_gotrace import report as reports
from pytest_gotrace.errors import RecordingError
from pytest_gotrace.explanation import Interval
from pytest_gotrace.page import render_page
from pytest_gotrace.render import render_summary
from pytest_gotrace.report import OUTCOMES, Report
from pytest_gotrace.report_json import MAX_BYTES, MAX_DEPTH, parse_report, read_report, schema, to_json


def document(**changes):
    """A small valid report.json, with top-level fields changed or (None) taken away."""
    found = {**json.loads(to_json(samples.REGRESSION)), **changes}
    return json.dumps({key: value for key, value in found.items() if value is not None}).encode()


def pairs_of(value, part):
    """Each object of a document with the part of the schema that it must fit, the first of a list for all."""
    part = schema()["$defs"][part["$ref"].rpartition("/")[2]] if "$ref" in part else part
    if isinstance(value, list) and value:
        yield from pairs_of(value[0], part["items"])
    if isinstance(value, dict) and "properties" in part:
        yield value, part
        for name, inner in value.items():
            yield from pairs_of(inner, part["properties"][name])


class TestSchema:
    def test_it_is_a_schema(self):
        """The published schema is valid JSON Schema 2020-12."""
        Draft202012Validator.check_schema(schema())

    @pytest.mark.parametrize(
        ("kind", "part"),
        [
            (Report, schema()),
            *(
                (getattr(reports, name, None) or getattr(explanation, name), schema()["$defs"][key])
                for name, key in {
                    "RevisionInfo": "revision",
                    "Method": "method",
                    "Interference": "interference",
                    "Overhead": "overhead",
                    "Waiver": "waiver",
                    "VerdictEntry": "verdict",
                    "Runs": "runs",
                    "QuantileShift": "quantile_shift",
                    "StateShift": "state_shift",
                    "Breakdown": "breakdown",
                    "LineShift": "line_shift",
                    "StackShift": "stack_shift",
                    "KeptTrace": "kept_trace",
                    "Timeline": "timeline",
                    "Annotation": "annotation",
                    "Why": "why",
                    "Failure": "failure",
                }.items()
            ),
        ],
        ids=lambda value: getattr(value, "__name__", ""),
    )
    def test_it_describes_our_types(self, kind, part):
        """The schema and the dataclass have the same fields, and a field without a default is required."""
        fields = {field.name: field for field in dataclasses.fields(kind)}
        assert set(part["properties"]) - {"version"} == set(fields)
        absent = dataclasses.MISSING
        bare = {name for name, f in fields.items() if f.default is absent and f.default_factory is absent}
        assert bare <= set(part["required"])
        assert set(part["required"]) - bare <= {"version", "level"}

    def test_it_knows_the_same_words(self):
        """Outcomes and levels are the same in the schema and in the types."""
        verdict = schema()["$defs"]["verdict"]["properties"]
        assert verdict["outcome"]["enum"] == list(OUTCOMES)
        assert verdict["level"]["enum"] == list(typing.get_args(reports.Level))
        assert verdict["better"]["enum"] == list(typing.get_args(reports.Better))
        assert schema()["$defs"]["failure"]["properties"]["side"]["enum"] == list(
            typing.get_args(explanation.Side)
        )

    def test_every_size_is_bounded(self):
        """Each string, list, map and number in the schema has an upper bound."""
        bound = {
            "string": "maxLength",
            "array": "maxItems",
            "integer": "maximum",
            "number": "maximum",
        }

        def unbounded(node, place):
            if isinstance(node, list):
                return [p for i, child in enumerate(node) for p in unbounded(child, f"{place}[{i}]")]
            if not isinstance(node, dict):
                return []
            kind = node.get("type")
            closed = node.get("additionalProperties") is False or "maxProperties" in node
            good = closed if kind == "object" else kind not in bound or bound[kind] in node
            below = [p for key, child in node.items() for p in unbounded(child, f"{place}.{key}")]
            return below if good else [place, *below]

        assert unbounded(schema(), "") == []


class TestRoundTrip:
    @pytest.mark.parametrize("name", samples.GOLDEN)
    def test_samples(self, name, tmp_path):
        """A report read back from its file is equal to the one written."""
        path = tmp_path / "report.json"
        path.write_text(to_json(samples.GOLDEN[name]), encoding="utf-8")
        assert read_report(path) == samples.GOLDEN[name]

    @settings(derandomize=True, max_examples=100, deadline=None)
    @given(st.data())
    def test_any_report(self, data):
        """Any report within the bounds of the schema, hostile names included, reads back equal."""
        report = data.draw(any_report())
        assert parse_report(to_json(report).encode()) == report

    @pytest.mark.parametrize("name", ["REGRESSION", "BROKEN"])
    def test_whatever_may_be_left_out(self, name):
        """A report without one of the fields that need not be there is drawn, and one without all of an object."""
        whole = json.loads(to_json(getattr(samples, name)))
        kinds = {tuple(part["properties"]): (holder, part) for holder, part in pairs_of(whole, schema())}
        for holder, part in kinds.values():
            kept = dict(holder)
            optional = kept.keys() - part.get("required", ())
            for field in optional:
                del holder[field]
                assert render_summary(parse_report(json.dumps(whole).encode())).startswith("#")
                holder[field] = kept[field]
            for field in optional:
                del holder[field]
            assert render_page(parse_report(json.dumps(whole).encode()))
            holder |= kept
        assert len(kinds) >= 5

    def test_too_long_texts_are_cut(self):
        """A text longer than a reader accepts is cut, where of a process's output the end is kept."""
        failure = replace(samples.FAILURE, message="m" * 3000, tail="a" * 20_000 + "end")
        report = replace(samples.BROKEN, failures=(failure,))
        (found,) = parse_report(to_json(report).encode()).failures
        assert found.message == "m" * 1999 + "…"
        assert found.tail == "…" + "a" * 15_996 + "end"

    @pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
    def test_numbers_that_are_none(self, number):
        """A number that is not finite is refused when the report is written, with its place."""
        bad = replace(samples.OVER, base=Interval(center=1.0, low=number, high=2.0))
        with pytest.raises(
            RecordingError, match=r"report\.verdicts\[0\]\.base: found -?(nan|inf), expected a finite"
        ):
            to_json(replace(samples.QUIET, verdicts=(bad,)))

    def test_what_no_reader_would_take_is_not_written(self):
        """A report with an impossible field is refused when it is written."""
        with pytest.raises(RecordingError, match=r"base\.sha: found 'main', expected text like"):
            to_json(replace(samples.QUIET, base=reports.RevisionInfo(name="main", sha="main")))

    def test_the_largest_one_fits(self):
        """A thousand benchmarks with twenty metrics each stay below the limit of a file."""
        large = samples.large(1000, 20)
        large = replace(
            large, why=large.why[:400], verdicts=tuple(replace(v, p=1 / 3) for v in large.verdicts)
        )
        text = to_json(large)
        assert len(text) < MAX_BYTES
        assert len(parse_report(text.encode()).verdicts) == 20_000


class TestHostileFile:
    """Each file is refused with a sentence that says what was found and what was expected."""

    @pytest.mark.parametrize(
        ("data", "message"),
        [
            pytest.param(b"", "not JSON", id="empty"),
            pytest.param(b"[]", "found a list of 0, expected an object", id="list"),
            pytest.param(b"3", "found 3, expected an object", id="number"),
            pytest.param(b"\xff\xfe", "byte 0 is not UTF-8", id="not UTF-8"),
            pytest.param(b"\xef\xbb\xbf{}", "not JSON", id="byte order mark"),
            pytest.param(b"[" * 100_000, "nested too deeply", id="deep and open"),
            pytest.param(b"[" * 500 + b"]" * 500, "nested too deeply, expected at most 16", id="deep"),
            pytest.param(b'{"a":' * 500 + b"1" + b"}" * 500, "nested too deeply", id="deep objects"),
            pytest.param(b'{"version": NaN}', "found NaN, expected a finite number", id="NaN"),
            pytest.param(
                b'{"version": -Infinity}', "found -Infinity, expected a finite number", id="Infinity"
            ),
            pytest.param(b'{"version": 1e999}', "found 1e999, expected a finite number", id="too large"),
            pytest.param(b'{"version": 1, "version": 1}', "the key 'version' stands twice", id="twice"),
            pytest.param(b'{"a": {"\\u0061": 1, "a": 1}}', "the key 'a' stands twice", id="twice, escaped"),
            pytest.param(b'{"version": ' + b"9" * 5000 + b"}", "not JSON as we accept it", id="long integer"),
            pytest.param(b"{}", "found version None of the report format, expected 1", id="no version"),
            pytest.param(document(version=2), "found version 2 of the report format", id="newer"),
            pytest.param(
                document(version=True), "found version True of the report format", id="true is no version"
            ),
            pytest.param(document(version="1"), "found version '1' of the report format", id="text"),
            pytest.param(document(base=None), "the report: found no 'base', expected all of", id="no base"),
            pytest.param(
                document(extra=1), "the report: found 'extra', expected only version, tool", id="unknown"
            ),
            pytest.param(document(expected=-1), "expected: found -1, expected at least 0", id="negative"),
            pytest.param(
                document(expected=10**10), "expected: found 10000000000, expected at most", id="count"
            ),
            pytest.param(document(expected=1.5), "expected: found 1.5, expected an integer", id="half"),
            pytest.param(document(expected=True), "expected: found True, expected an integer", id="bool"),
            pytest.param(document(tool="1.0\n"), r"tool: found '1.0\\n', expected text like", id="newline"),
            pytest.param(
                document(tool="v" * 65), "tool: found 65 characters, expected at most 64", id="long"
            ),
            pytest.param(
                document(warnings=["w"] * 101),
                "warnings: found a list of 101, expected at most 100",
                id="many",
            ),
            pytest.param(
                document(warnings="w"), "warnings: found 'w', expected an array", id="text for list"
            ),
            pytest.param(
                document(on_inconclusive="maybe"), "found 'maybe', expected one of fail, warn", id="word"
            ),
            pytest.param(
                document(environment={str(n): "" for n in range(51)}),
                "environment: found an object of 51, expected at most 50",
                id="many fields",
            ),
            pytest.param(
                document(environment={"k" * 101: "v"}),
                "found 101 characters, expected at most 100",
                id="long key",
            ),
            pytest.param(
                document(
                    verdicts=[
                        {
                            "benchmark": "b",
                            "metric": "m",
                            "unit": "ns",
                            "outcome": "over",
                            "level": "fail",
                            "p": 2,
                        }
                    ]
                ),
                r"verdicts\[0\]\.p: found 2, expected at most 1",
                id="nested place",
            ),
            pytest.param(
                document(
                    verdicts=[
                        {
                            "benchmark": "b",
                            "metric": "m",
                            "unit": "ns",
                            "outcome": "over",
                            "level": "fail",
                            "base": [1],
                        }
                    ]
                ),
                r"verdicts\[0\]\.base: found a list of 1, expected at least 3",
                id="short interval",
            ),
        ],
    )
    def test_refused(self, data, message):
        """A file that breaks one rule is refused by that rule, naming the file."""
        with pytest.raises(RecordingError, match=message) as caught:
            parse_report(data, where="from-fork.json")
        assert str(caught.value).startswith("from-fork.json: ")

    def test_depth_is_counted_exactly(self):
        """Nesting is allowed up to the limit, where another rule speaks, and refused one level deeper."""
        for depth, message in [(MAX_DEPTH - 1, "expected an object"), (MAX_DEPTH, "nested too deeply")]:
            with pytest.raises(RecordingError, match=message):
                parse_report(b"[" * depth + b"1" + b"]" * depth)

    def test_messages_are_short_and_printable(self):
        """A message about hostile text is one short line without control characters."""
        hostile = "\x1b[31m::error::" + "x" * 90
        for changes in ({hostile * 100: 1}, {"environment": {hostile: 1}}, {"on_inconclusive": hostile}):
            with pytest.raises(RecordingError) as caught:
                parse_report(document(**changes))
            assert str(caught.value).isprintable()
            assert len(str(caught.value)) < 400

    def test_every_rule_has_its_words(self):
        """For each keyword by which the schema can refuse a value there is a sentence."""

        def keys(node):
            children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
            return set(node if isinstance(node, dict) else ()).union(*map(keys, children))

        only_lead_on = {"$ref", "items", "properties", "propertyNames"}
        used = keys(schema()) & set(Draft202012Validator.VALIDATORS)
        assert used - only_lead_on == set(report_json._COMPLAINTS)

    def test_size(self, tmp_path):
        """A file above the limit is refused after reading no more than the limit."""
        path = tmp_path / "report.json"
        path.write_bytes(b" " * 2000)
        with pytest.raises(RecordingError, match="found more than 1000 bytes"):
            read_report(path, limit=1000)

    def test_no_file(self, tmp_path):
        """A file that is not there is named."""
        with pytest.raises(RecordingError, match=r"none\.json: cannot read the report: No such file"):
            read_report(tmp_path / "none.json")

    @settings(derandomize=True, max_examples=300, deadline=None)
    @given(
        st.binary(max_size=200)
        | st.recursive(st.none() | st.booleans() | st.floats() | st.text(), st.lists)
        .map(repr)
        .map(str.encode)
    )
    def test_any_bytes(self, data):
        """Whatever the bytes, the answer is a report or a RecordingError."""
        with pytest.raises(RecordingError):
            parse_report(data)

    @settings(derandomize=True, max_examples=200, deadline=None)
    @given(st.data())
    def test_any_mutation(self, data):
        """A valid document with one value replaced by another is a report where it is still valid, else an error."""
        found = json.loads(to_json(samples.BROKEN))
        node = found
        while True:
            key = data.draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
            child = node[key]
            if not (isinstance(child, (dict, list)) and child and data.draw(st.booleans())):
                break
            node = child
        node[key] = data.draw(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.just([]) | st.just({})
        )
        with (
            contextlib.nullcontext()
            if Draft202012Validator(schema()).is_valid(found)
            else pytest.raises(RecordingError)
        ):
            assert isinstance(parse_report(json.dumps(found).encode()), Report)
