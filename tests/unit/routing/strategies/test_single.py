from tests.unit.routing.trees import play


def test_the_first_target_answers_whatever_it_answers():
    config = {"strategy": {"mode": "single"}, "targets": [{"name": "a"}, {"name": "b"}]}
    assert play(config, 200) == (["a"], 200)
    assert play(config, 500) == (["a"], 500)
    assert play({"targets": [{"name": "a"}, {"name": "b"}]}, 500) == (["a"], 500)
