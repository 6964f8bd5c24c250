"""Whether a document fits a schema, as one quick yes; who gets a no asks jsonschema, which can say why.

jsonschema takes 15 µs for each value, ten seconds for a report of 20,000 verdicts, whoever writes it and whoever reads
it. Here every part of the schema becomes one function, once. Each yes is a yes of jsonschema too; a no may be
caution, such as for 1.0 where an integer is expected, or for a type that JSON does not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Check = Callable[[Any], bool]
Schema = Mapping[str, Any]

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}

#: What says nothing about a value.
_SILENT = frozenset({"$schema", "$id", "title", "description"})

#: What says everything about a value. All else relies on a type, which comes first.
_WHOLE = (frozenset({"enum"}), frozenset({"const"}))


def compiled(schema: Schema) -> Check:
    """The function that says whether a value fits `schema`, in which no reference is left.

    Raises `ValueError` for a schema with a keyword that is not known here, or without any word on the type.
    """
    unknown = schema.keys() - _KEYWORDS.keys() - _SILENT
    words = schema.keys() - _SILENT
    if unknown or not (words in _WHOLE or schema.get("type") in [*_TYPES]):
        raise ValueError(f"a schema without a type, or with unknown keywords: {', '.join(unknown)}")
    checks = [make(schema[keyword], schema) for keyword, make in _KEYWORDS.items() if keyword in schema]

    def fits(value: Any) -> bool:
        for check in checks:  # a loop is half the price of `all`
            if not check(value):
                return False
        return True

    return fits


def _type(rule: str, _: Schema) -> Check:
    kinds = _TYPES[rule]
    return lambda value: type(value) in kinds


def _enum(rule: list[Any], _: Schema) -> Check:
    return lambda value: any(type(value) is type(known) and value == known for known in rule)


def _pattern(rule: str, _: Schema) -> Check:
    search = re.compile(rule).search
    return lambda value: search(value) is not None


def _items(rule: Schema, _: Schema) -> Check:
    fits = compiled(rule)
    return lambda value: all(map(fits, value))


def _names(rule: Schema, _: Schema) -> Check:
    fits = compiled({"type": "string", **rule})
    return lambda value: all(map(fits, value))


def _properties(rule: Mapping[str, Schema], _: Schema) -> Check:
    fits = {name: compiled(part) for name, part in rule.items()}
    return lambda value: all(fits[name](part) for name, part in value.items() if name in fits)


def _others(rule: bool | Schema, schema: Schema) -> Check:
    known = schema.get("properties", {}).keys()
    if isinstance(rule, bool):
        return lambda value: rule or value.keys() <= known
    fits = compiled(rule)
    return lambda value: all(fits(part) for name, part in value.items() if name not in known)


#: What each keyword asks of a value, from what stands at it and the part of the schema that it stands in.
_KEYWORDS: dict[str, Callable[[Any, Schema], Check]] = {
    "type": _type,
    "enum": _enum,
    "const": lambda rule, schema: _enum([rule], schema),
    "minimum": lambda rule, _: lambda value: value >= rule,
    "maximum": lambda rule, _: lambda value: value <= rule,
    "maxLength": lambda rule, _: lambda value: len(value) <= rule,
    "minItems": lambda rule, _: lambda value: len(value) >= rule,
    "maxItems": lambda rule, _: lambda value: len(value) <= rule,
    "maxProperties": lambda rule, _: lambda value: len(value) <= rule,
    "pattern": _pattern,
    "required": lambda rule, _: frozenset(rule).issubset,
    "additionalProperties": _others,
    "propertyNames": _names,
    "properties": _properties,
    "items": _items,
}
