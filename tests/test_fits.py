"""A quick yes is always one of jsonschema's, and is given to everything that we write."""

from __future__ import annotations

import json
import math

import pytest
import sample_reports as samples
from jsonschema import Draft202012Validator

from pytest_gotrace.fits import compiled
from pytest_gotrace.report_json import schema, to_json

#: At least one for each keyword, and two that hold others.
SCHEMAS = (
    *({"type": name} for name in ("object", "array", "string", "boolean", "integer", "number")),
    {"enum": ["ab", 1, True]},
    {"const": 1},
    {"type": "number", "minimum": 0, "maximum": 2},
    {"type": "string", "maxLength": 2},
    {"type": "string", "pattern": "^a[a-z]*(?![\\s\\S])"},
    {"type": "array", "minItems": 2, "maxItems": 3},
    {"type": "array", "items": {"type": "integer", "minimum": 1}},
    {"type": "object", "maxProperties": 1},
    {"type": "object", "required": ["a"]},
    {"type": "object", "propertyNames": {"maxLength": 1}, "additionalProperties": {"type": "string"}},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
    {"type": "object", "properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
)
VALUES = (
    *(None, True, False, 0, 1, -1, 3, 10**30, 1.0, 2.5, math.inf),
    *("", "ab", "abc", "a\n", "\U0001f642" * 2),
    *([], [1], [1, 2], [1, 2, 3, 4], [0, 1], ["a", "b"], [True, True]),
    *({}, {"a": 1}, {"a": "x"}, {"a": True}, {"a": 1, "b": "x"}, {"a": 1, "b": 2}, {"ab": "x"}),
)


@pytest.mark.parametrize("rules", SCHEMAS, ids=json.dumps)
def test_it_says_what_jsonschema_says(rules):
    """Of every value it says what jsonschema says, but for whole numbers with a point, of which it is not sure."""
    judge, fits = Draft202012Validator(rules), compiled(rules)
    differ = [value for value in VALUES if judge.is_valid(value) != fits(value)]
    assert {fits(value) for value in differ} <= {False}
    assert {type(value) for value in differ} <= {float}
    assert {fits(value) for value in VALUES} == {True, False}


@pytest.mark.parametrize("name", samples.GOLDEN)
def test_what_we_write_is_quick(name):
    """Every report of ours fits at once, so that nobody waits for the slow answer."""
    from pytest_gotrace import report_json

    assert compiled(report_json._rules())(json.loads(to_json(samples.GOLDEN[name])))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"type": "string", "minLength": 1}, "unknown keywords: minLength"),
        ({"maxLength": 1}, "without a type"),
        ({"enum": ["a", 1], "maxLength": 1}, "without a type"),
        ({"type": "null"}, "without a type"),
        ({"type": ["string", "null"]}, "without a type"),
        ({"type": "array", "items": {"anyOf": []}}, "unknown keywords: anyOf"),
        (schema(), r"\$defs"),
    ],
)
def test_a_rule_that_is_not_known(rules, message):
    """A schema that says more than is understood is refused, and no rule of it is passed over."""
    with pytest.raises(ValueError, match=message):
        compiled(rules)
