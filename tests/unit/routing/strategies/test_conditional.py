from tests.unit.routing.trees import play


def conditional(**values):
    config = {
        "strategy": {
            "mode": "conditional",
            "conditions": [
                {"query": {"metadata.plan": "paid"}, "then": "big"},
                {"query": {"params.max_tokens": {"$gt": 100}}, "then": "long"},
                {"query": {"metadata.plan": {"$in": ["paid", "trial"]}}, "then": "small"},
            ],
            "default": "small",
        },
        "targets": [{"name": "small"}, {"name": "long"}, {"name": "big"}],
    }
    (tried,), status = play(config, 500, **values)
    assert status == 500
    return tried


def test_the_first_condition_that_holds_names_the_target():
    assert conditional(metadata_plan="paid", params_max_tokens=500) == "big"
    assert conditional(metadata_plan="trial", params_max_tokens=500) == "long"
    assert conditional(metadata_plan="trial") == "small"


def test_else_the_default():
    assert conditional() == "small"
    assert conditional(metadata_plan="free", params_max_tokens=100) == "small"
