"""What a request wants to be answered with: a call of one of its tools, JSON of a schema, or just words."""

import json
from collections.abc import Mapping
from typing import Any

WORDS = ("This", " is", " a", " test.")
SAMPLES: dict[str, Any] = {"string": "Paris", "integer": 18, "number": 18.5, "boolean": True, "null": None}


def sample(schema: Mapping[str, Any], whole: Mapping[str, Any] | None = None) -> Any:
    """A value of a JSON Schema, always the same one. `whole`: the schema that its references lead into."""
    whole = whole or schema
    if "$ref" in schema:
        found: Any = whole
        for step in schema["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        return sample(found, whole)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], whole)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type", "object"):
        case "object":
            return {name: sample(inner, whole) for name, inner in schema.get("properties", {}).items()}
        case "array":
            return [sample(schema["items"], whole)]
        case kind:
            return SAMPLES[kind]


def call(tools: Mapping[str, Any], chosen: str | None = None) -> tuple[str, Any]:
    """The call of a tool: its name and its arguments. `tools`: name -> schema; `chosen`: the one that it has to be."""
    name = chosen or next(iter(tools))
    return name, sample(tools[name])


def words(form: Mapping[str, Any] | None) -> tuple[str, ...]:
    """What is said, in pieces. `form`: has the schema of what it must be, if anything."""
    if form is None:
        return WORDS
    text = json.dumps(sample(form["schema"]))
    return text[:5], text[5:]
