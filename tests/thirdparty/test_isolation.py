"""Good plugins work beside broken ones; broken ones are named; nothing crashes."""

from __future__ import annotations

from typing import Any

GOOD = "zoo-good-plain,zoo-good-batch"


def test_plugins_says_what_became_of_each(zoo: Any) -> None:
    done = zoo("plugins", "--json")
    assert done.status == 0
    found = {row["plugin"]: row for row in done.json["plugins"]}
    assert found["zoo-good-plain"]["state"] == "registered"
    assert found["zoo-good-plain"]["version"] == "1.2.3"
    assert found["zoo-good-plain"]["entries"] == ["algorithm:wanderer", "representation:successor-rows"]
    assert found["zoo-good-batch"]["entries"] == ["algorithm:stacked"]
    assert found["zoo-bad-import"]["state"] == "failed"
    assert "a_package_that_is_not_there" in found["zoo-bad-import"]["reasons"][0]
    assert found["zoo-bad-hook"]["state"] == "failed"
    assert "zoo_metrics" in found["zoo-bad-hook"]["reasons"][0]
    assert found["zoo-bad-hook"]["entries"] == []
    # These two are sound until they are used.
    assert found["zoo-bad-duplicate"]["state"] == found["zoo-bad-target"]["state"] == "registered"


def test_check_resolves_everything_and_names_what_is_hollow(zoo: Any) -> None:
    done = zoo("plugins", "--check", ZOO_PLUGINS=f"{GOOD},zoo-bad-target")
    assert done.status == 1
    assert "zoo_bad_target:NOT_A_CLASS" in done.out
    assert "expected a subclass of zoo.Algorithm" in done.out
    assert zoo("plugins", "--check", ZOO_PLUGINS=GOOD).status == 0


def test_list_shows_the_good_ones_and_names_the_broken_ones_once(zoo: Any) -> None:
    done = zoo("list", "algorithms")
    assert done.status == 0
    names = [line.split()[0] for line in done.out.splitlines() if line.startswith("  ")]
    assert {"stacked", "hollow", "zoo-good-plain/wanderer", "zoo-bad-duplicate/wanderer"} <= set(names)
    assert not {"wanderer", "never-there"} & set(names)
    for broken in ("zoo-bad-import", "zoo-bad-hook"):
        assert done.err.count(f"plugin {broken} 1.2.3 is left out") == 1


def test_a_name_offered_twice_is_refused_at_use_with_the_full_names(zoo: Any) -> None:
    done = zoo("train", "wanderer", "CartPole-v1")
    assert done.status == 2
    assert "zoo-bad-duplicate/wanderer, zoo-good-plain/wanderer" in done.err


def test_a_full_name_trains_beside_four_bad_plugins(zoo: Any) -> None:
    done = zoo("train", "zoo-good-plain/wanderer", "CartPole-v1", "--eval-episodes", "0", "--json")
    assert done.status == 0
    (run,) = done.json["runs"]
    assert (run["status"], run["steps"]) == ("finished", 256)


def test_a_target_that_is_no_class_is_one_sentence_with_its_owner(zoo: Any) -> None:
    done = zoo("train", "hollow", "CartPole-v1")
    assert done.status == 1
    assert "algorithm 'hollow' of plugin zoo-bad-target 1.2.3" in done.err
    assert "expected a subclass of zoo.Algorithm" in done.err


def test_an_unknown_name_hints_at_the_plugins_that_failed(zoo: Any) -> None:
    done = zoo("train", "never-there", "CartPole-v1")
    assert done.status == 2
    assert "zoo-bad-hook" in done.err.splitlines()[-1]


def test_strict_turns_the_first_problem_into_an_error(zoo: Any) -> None:
    done = zoo("list", ZOO_STRICT="1")
    assert done.status == 1
    assert "zoo: plugin zoo-bad-hook 1.2.3 failed to load" in done.err
    assert zoo("list", ZOO_STRICT="1", ZOO_PLUGINS=GOOD).status == 0


def test_only_the_plugins_asked_for_are_loaded(zoo: Any) -> None:
    done = zoo("list", "--json", ZOO_PLUGINS=GOOD)
    assert {entry["plugin"] for entry in done.json["entries"]} == {"zoo-good-plain", "zoo-good-batch"}
    assert done.err == ""
    none = zoo("list", "--json", ZOO_PLUGINS="")
    assert none.json["entries"] == []
    misspelt = zoo("list", ZOO_PLUGINS="zoo-good-plane")
    assert "did you mean zoo-good-plain" in misspelt.err
