import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatekey.config.conditions import MAX_DEPTH, MAX_TERMS, MISSING, parse
from gatekey.errors import BadConfig

FACTS = {
    "metadata.plan": "paid",
    "metadata.age": "42",
    "metadata.day": "2024-05-01",
    "metadata.half": "\ud800x",
    "params.max_tokens": 1000,
    "params.stream": True,
    "params.temperature": 1.0,
    "params.user": None,
    "params.messages": [{"role": "user"}],
    "url.pathname": "/v1/completions",
}


def holds(query):
    return parse(query, "q").holds(lambda key: FACTS.get(key, MISSING))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"metadata.plan": "paid"}, True),
        ({"metadata.plan": {"$eq": "free"}}, False),
        ({"params.temperature": 1}, True),
        ({"params.temperature": True}, False),
        ({"params.stream": True}, True),
        ({"params.stream": 1}, False),
        ({"params.stream": {"$ne": 1}}, True),
        ({"params.max_tokens": "1000"}, False),
        ({"metadata.age": 42}, False),
        ({"params.user": None}, True),
        ({"params.messages": "user"}, False),
        ({"metadata.plan": {"$in": ["free", "paid"]}}, True),
        ({"metadata.plan": {"$in": []}}, False),
        ({"metadata.plan": {"$nin": ["free"]}}, True),
        ({"params.stream": {"$in": [1, "true"]}}, False),
        ({"params.max_tokens": {"$gt": 999}}, True),
        ({"params.max_tokens": {"$gt": 1000}}, False),
        ({"params.max_tokens": {"$gte": "1e3"}}, True),
        ({"params.max_tokens": {"$lt": 1000.5, "$gt": 999.5}}, True),
        ({"params.max_tokens": {"$lte": 1000, "$ne": 1000}}, False),
        ({"metadata.age": {"$gt": 5}}, True),
        ({"metadata.age": {"$lt": "5"}}, False),
        ({"params.stream": {"$gte": 0}}, False),
        ({"metadata.plan": {"$gt": 0}}, False),
        ({"metadata.day": {"$gte": "2024-04-30", "$lt": "2025-01-01"}}, True),
        ({"params.max_tokens": {"$gt": "abc"}}, False),
        ({"url.pathname": {"$regex": "complet"}}, True),
        ({"url.pathname": {"$regex": "^complet"}}, False),
        ({"params.max_tokens": {"$regex": "1"}}, False),
        ({"metadata.half": {"$regex": "x$"}}, True),
        ({"$or": [{"metadata.plan": "free"}, {"params.max_tokens": {"$gt": 10}}]}, True),
        ({"$and": [{"metadata.plan": "paid"}, {"params.max_tokens": {"$gt": 5000}}]}, False),
        ({"$or": [{"metadata.plan": "paid"}], "params.stream": False}, False),
        ({"metadata.plan": "paid", "params.stream": True}, True),
        ({"$and": [{"$or": [{"params.n": 1}, {"params.stream": True}]}, {"metadata.plan": {"$ne": "free"}}]}, True),
    ],
)
def test_a_query_holds_or_not(query, expected):
    assert holds(query) is expected


@pytest.mark.parametrize("operator", ["$eq", "$in", "$gt", "$gte", "$lt", "$lte", "$regex", "$ne", "$nin"])
def test_only_ne_and_nin_hold_for_a_missing_key(operator):
    operand = ["x"] if operator in ("$in", "$nin") else "x"
    assert holds({"metadata.absent": {operator: operand}}) is (operator in ("$ne", "$nin"))


def test_null_is_not_missing():
    assert holds({"metadata.absent": None}) is False
    assert holds({"params.user": {"$ne": None}}) is False


@pytest.mark.parametrize(
    ("query", "place", "reason"),
    [
        ({}, "q", "at least one condition"),
        ([], "q", "at least one condition"),
        ({"metadata.x": {}}, "q.metadata.x", "at least one operator"),
        ({"metadata.x": {"$eqq": 1}}, "q.metadata.x.$eqq", 'did you mean "$eq"?'),
        ({"metadata.x": {"$and": []}}, "q.metadata.x.$and", "unknown operator"),
        ({"metadata.x": {"$eq": {}}}, "q.metadata.x.$eq", "expected a text"),
        ({"metadata.x": [1]}, "q.metadata.x", "expected a text"),
        ({"metadata.x": {"$in": "a"}}, "q.metadata.x.$in", "expected a list"),
        ({"metadata.x": {"$in": [[1]]}}, "q.metadata.x.$in[0]", "expected a text"),
        ({"metadata.x": {"$gt": True}}, "q.metadata.x.$gt", "expected a number or a text"),
        ({"metadata.x": {"$regex": "(?=a)"}}, "q.metadata.x.$regex", "invalid perl operator"),
        ({"metadata.x": {"$regex": "(a)\\1"}}, "q.metadata.x.$regex", "invalid escape sequence"),
        ({"metadata.x": {"$regex": 1}}, "q.metadata.x.$regex", "expected a regular expression"),
        ({"$and": {}}, "q.$and", "at least one query"),
        ({"$or": [{"metadata.x": 1}, 5]}, "q.$or[1]", "expected an object"),
        ({"$nor": []}, "q.$nor", 'did you mean "$or"?'),
        ({"metadata": 1}, "q.metadata", "metadata.<key>"),
        ({"metadata.": 1}, "q.metadata.", "metadata.<key>"),
        ({"metadata.a.b": 1}, "q.metadata.a.b", "metadata.<key>"),
        ({"url.host": 1}, "q.url.host", "url.pathname"),
        ({"header.x": 1}, "q.header.x", "url.pathname"),
    ],
)
def test_what_cannot_be_understood_is_refused_with_its_place(query, place, reason):
    with pytest.raises(BadConfig) as caught:
        parse(query, "q")
    assert caught.value.param == place
    assert caught.value.message.startswith(f"{place}: ")
    assert reason in caught.value.message


def test_depth_and_size_are_bounded():
    deep = {"metadata.x": 1}
    for _ in range(MAX_DEPTH - 1):
        deep = {"$and": [deep]}
    parse(deep, "q")
    with pytest.raises(BadConfig, match="nested deeper"):
        parse({"$or": [deep]}, "q")
    parse({"$or": [{"metadata.x": 1}] * MAX_TERMS}, "q")
    with pytest.raises(BadConfig, match="comparisons"):
        parse({"$or": [{"metadata.x": 1}] * (MAX_TERMS + 1)}, "q")


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)


@given(scalars, scalars)
def test_a_value_equals_another_exactly_when_it_does_not_differ(value, operand):
    def lookup(key):
        return value

    def ask(operator, operand):
        return parse({"params.x": {operator: operand}}, "q").holds(lookup)

    assert ask("$eq", operand) is not ask("$ne", operand)
    assert ask("$eq", operand) is ask("$in", [operand]) is not ask("$nin", [operand])
    assert ask("$eq", value)
