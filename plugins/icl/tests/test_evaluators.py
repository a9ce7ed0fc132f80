"""The evaluators on bare models and agents, against what is known of them."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import save_file
from zoo_envs.icl.environment import ICLExemplarsVector
from zoo_icl.evaluators.ablation import Ablation
from zoo_icl.evaluators.checkpoints import kept_checkpoints
from zoo_icl.evaluators.clamped import Clamped
from zoo_icl.evaluators.config import AblationConfig, ClampedConfig, InductionConfig, TransienceConfig
from zoo_icl.evaluators.dense import dense_batch
from zoo_icl.evaluators.induction import Induction
from zoo_icl.evaluators.subject import draw, task
from zoo_icl.evaluators.transience import TransienceEvaluator
from zoo_icl.matrix import number
from zoo_icl.model import ICLTransformer
from zoo_icl.probes import context_mask, induction_strength, prev_token_strength, query_metrics

from zoo import Algorithm, EvalContext, InterfaceError, UsageError

SMALL = {"class_split": (6, 0, 6), "dim": 8, "num_labels": 4, "pair_split": (4, 2, 0)}
FIXED = SMALL | {"labels": "mod"}


def context(path=None, **options):
    return EvalContext(
        seed=3,
        rng=np.random.default_rng(3),
        make_env=lambda copies: ICLExemplarsVector(copies, **{**SMALL, **options}),
        path=path,
    )


def built(**options):
    generator = torch.Generator().manual_seed(1)
    return ICLTransformer(8, 4, d_model=16, n_heads=2, dtype=torch.float64, generator=generator, **options)


@pytest.fixture(scope="module")
def model():
    return built()


class Matcher(Algorithm):
    """Answers with the label of the exemplar that the query repeats; it has no logits. Its state shows its use."""

    def __init__(self):
        self.uses, self.env_steps = 0, 0

    def update(self):
        return {}

    def act(self, obs, *, greedy=True):
        self.uses += 1
        labels = obs.shape[2] - 8
        distance = np.abs(obs[:, :-1, :8] - obs[:, -1:, :8]).sum(2)
        return obs[np.arange(len(obs)), distance.argmin(1), -labels:].argmax(1)

    def state(self):
        return {"uses": self.uses}

    def load_state(self, state):
        self.uses = state["uses"]


class Trained(Matcher):
    """A learner with a model, trained under clamps."""

    def __init__(self, model, clamps=()):
        super().__init__()
        self.model, self.clamps, self.env_steps = model, clamps, 500


def mute(x, y):
    """A model that shows no patterns: it is sure of label 0."""
    logits = np.zeros((len(x), 4))
    logits[:, 0] = 3.0
    return logits


def test_induction_reports_what_the_probes_say(model):
    report = Induction(InductionConfig(sequences=50)).evaluate(model, context())
    ctx = context()
    batch = draw(task(ctx), "train", 50, ctx)
    logits, cache = model(batch.x, batch.y, record="blocks.*.attn.pattern")
    found = query_metrics(
        logits.detach(), torch.as_tensor(batch.y[:, -1]), context_mask(torch.as_tensor(batch.y[:, :-1]), 4)
    )
    assert math.isclose(report.scores["seen/loss"], float(found.loss.mean()))
    assert math.isclose(report.scores["seen/in_context_acc"], float(found.in_context_acc.mean()))
    strength = induction_strength(cache["blocks.1.attn.pattern"], torch.as_tensor(batch.y))
    before = prev_token_strength(cache["blocks.0.attn.pattern"])
    assert report.scores["heads/n_used"] == strength.n_used == 50
    for head in range(2):
        assert math.isclose(report.scores[f"heads/1.{head}/induction_strength"], float(strength.heads[head]))
        assert math.isclose(report.scores[f"heads/0.{head}/prev_token_strength"], float(before[head]))
        assert math.isclose(report.scores[f"heads/0.{head}/prev_token_excess"], float(before[head]) - 0.375)
    assert math.isclose(report.scores["heads/max_induction_strength"], float(strength.heads.max()))
    assert {"seen", "relabel_val", "new_class", "icl"} <= {row["of"] for row in report.rows}
    composed = {row["of"] for row in report.rows if row["metric"] == "k_composition"}
    assert composed == {f"1:{i} of 0:{j}" for i in range(2) for j in range(2)}
    table, sentence = report.notes
    assert table.splitlines()[0] == "induction strength by block and head:"
    assert [line.split()[0] for line in table.splitlines()[1:]] == ["0", "0", "1"]
    assert table.splitlines()[-1].split()[1:] == [number(float(value)) for value in strength.heads]
    assert sentence.startswith(
        f"no induction head: the highest strength of block 1 is {number(float(strength.heads.max()))} "
    )


def test_an_induction_head_is_named_in_one_sentence(model):
    clamped = Trained(model, ("Induction(1:0, strength=0.8)",))
    report = Induction(InductionConfig(sequences=30)).evaluate(clamped, context())
    assert report.notes[-1] == "an induction head formed at 1:0: strength .60 (s.e. .00)."


def test_a_learner_is_judged_under_the_clamps_of_its_training(model):
    report = Induction(InductionConfig(sequences=30)).evaluate(Trained(model, ("Ablate(1:*)",)), context())
    bare = Clamped(ClampedConfig(sequences=30, clamps=("Ablate(1:*)",))).evaluate(model, context())
    assert report.scores["seen/loss"] == bare.scores["Ablate(1:*)/loss"] != bare.scores["none/loss"]


def test_checkpoints_are_found_in_the_order_of_their_steps(tmp_path):
    for name in ("step-000000000030", "step-000000000004", "step-000000000200", "step-000000000004.tmp", "other"):
        (tmp_path / "checkpoints" / name).mkdir(parents=True)
    assert [step for step, _ in kept_checkpoints(tmp_path)] == [4, 30, 200]
    assert kept_checkpoints(tmp_path / "none") == []


def test_the_dense_set_shows_the_first_exemplar_of_each_training_class():
    source = task(context(exemplar_split=(2, 0, 1)))
    found = dense_batch(source)
    features = source.task.train.features
    assert found.x[3:5].shape == (2, 3, 8)
    classes = found.x.classes
    assert set(classes.ravel()) == set(range(6))
    assert (found.x[0:50] == features[classes[:50], 0]).all()
    assert {tuple(sorted(pair)) for pair in found.y[:, :2].tolist()} == {
        tuple(sorted(pair)) for pair in source.task.train.labels.pairs.tolist()
    }


def test_the_parts_do_not_show(model):
    for evaluator, config in ((Induction, InductionConfig), (Ablation, AblationConfig), (Clamped, ClampedConfig)):
        whole = evaluator(config(sequences=40)).evaluate(model, context()).scores
        parts = evaluator(config(sequences=40, batch_size=13)).evaluate(model, context()).scores
        assert whole.keys() == parts.keys()
        assert all(math.isclose(whole[name], parts[name], abs_tol=1e-12) for name in whole)


def test_a_set_is_the_same_whatever_else_is_asked_for(model):
    every = Induction(InductionConfig(sequences=30)).evaluate(model, context())
    some = Induction(InductionConfig(sequences=30, sets=("icl",))).evaluate(model, context())
    assert some.scores["icl/loss"] == every.scores["icl/loss"]
    assert "relabel_val/loss" not in some.scores
    assert "heads/1.0/induction_strength" in some.scores
    with pytest.raises(UsageError, match="'relabel'; did you mean 'relabel_val'"):
        Induction(InductionConfig(sets=("relabel",))).evaluate(model, context())


def test_a_model_without_patterns_gets_its_behaviour_and_a_warning():
    report = Induction(InductionConfig(sequences=200)).evaluate(mute, context())
    assert math.isclose(report.scores["seen/loss"], np.mean([
        math.log(math.exp(3) + 3) - 3 * (target == 0)
        for target in draw(task(context()), "train", 200, context()).y[:, -1]
    ]))  # fmt: skip
    assert not [name for name in report.scores if name.startswith("heads")]
    assert report.notes == ["function records no patterns: its heads are not judged."]
    with pytest.raises(UsageError, match=r"records no patterns.*need a model with heads"):
        Ablation(AblationConfig()).evaluate(mute, context())


def test_an_agent_that_only_acts_is_judged_by_its_answers_and_left_as_it_was():
    agent = Matcher()
    report = Induction(InductionConfig(sequences=30, batch_size=11)).evaluate(agent, context())
    assert report.scores == {
        f"{name}/acc": 1.0 for name in ("seen", "relabel_val", "new_class", "icl", "icl_new_class")
    }
    assert "Matcher only acts" in report.notes[0]
    assert agent.uses == 0
    now = TransienceEvaluator(TransienceConfig(sequences=30)).evaluate(agent, context(**FIXED)).scores
    assert now["icl/acc"] == now["flip/acc"] == 1.0
    with pytest.raises(InterfaceError, match="a str is not a subject"):
        Induction(InductionConfig()).evaluate("model", context())


def test_the_dense_set_and_patterns_on_request(model):
    report = Induction(InductionConfig(sequences=40, sets=("train",), dense=True, patterns=True)).evaluate(
        model, context()
    )
    (row,) = [row for row in report.rows if row["of"] == "dense" and row["metric"] == "loss"]
    assert row["n"] == 6 * 5 * 8 * 2
    patterns = {row["of"]: np.array(row["pattern"]) for row in report.rows if row["metric"] == "pattern"}
    assert patterns.keys() == {"0:0", "0:1", "1:0", "1:1"}
    assert all(np.allclose(pattern.sum(1), 1) and pattern.shape == (5, 5) for pattern in patterns.values())
    with pytest.raises(UsageError, match="labels drawn from pairs"):
        Induction(InductionConfig(sequences=5, dense=True)).evaluate(model, context(**FIXED))


def test_labels_that_repeat_are_counted(model):
    report = Induction(InductionConfig(sequences=100)).evaluate(
        model, context(**FIXED | {"num_labels": 2, "num_outputs": 4})
    )
    batch = draw(task(context(**FIXED | {"num_labels": 2, "num_outputs": 4})), "train", 100, context())
    same = int((batch.y[:, 0] == batch.y[:, 1]).sum())
    assert 0 < same < 100
    assert report.scores["heads/n_used"] == 100 - same
    assert f"{same} of 100 sequences have a label more than once in their context." in report.notes


def test_ablation_rows_say_what_is_kept(model):
    report = Ablation(AblationConfig(sequences=40)).evaluate(model, context())
    kept_checkpoints = [row["kept"] for row in report.rows]
    assert kept_checkpoints[:5] == ["all", "only 1:0", "only 1:1", "all but 1:0", "all but 1:1"]
    assert report.scores["only/1.0/loss"] == report.scores["without/1.1/loss"]  # of two heads, one ablated
    assert report.scores["add_back/2/loss"] == report.scores["whole/loss"]
    assert "contribution/0" in report.scores
    table, sentence = report.notes[1:]
    lines = [line.split() for line in table.splitlines()[1:]]
    assert lines[0] == ["1:0", "1:1"] and [line[0] for line in lines[1:]] == ["strength", "only", "without"]
    assert lines[2][1:] == [number(report.scores[f"only/1.{head}/acc"]) for head in (0, 1)]
    best = max((0, 1), key=lambda head: report.scores[f"only/1.{head}/acc"])
    assert sentence.startswith(f"1:{best} alone has an accuracy of {lines[2][1 + best]} ")
    with pytest.raises(UsageError, match="there is no block 2: expected 0 to 1"):
        Ablation(AblationConfig(block=2)).evaluate(model, context())


def test_clamps_of_the_training_hold_where_heads_are_ablated(model):
    report = Ablation(AblationConfig(sequences=40)).evaluate(Trained(model, ("Ablate(1:1)", "Ablate(0:0)")), context())
    assert [row["kept"] for row in report.rows if row["kept"].startswith("only")] == ["only 1:0", "only 1:0"]
    assert "contribution of block 0 is left out" in report.notes[1]
    alone = Ablation(AblationConfig(sequences=40)).evaluate(Trained(model, ("Ablate(0:0)",)), context())
    assert report.scores["whole/loss"] == alone.scores["only/1.0/loss"]


def test_clamped_measures_each_clamp_alone_and_every_checkpoint(model, tmp_path):
    earlier = {name: array * 0.5 for name, array in model.to_arrays().items()}
    folder = tmp_path / "checkpoints" / "step-000000000128"
    folder.mkdir(parents=True)
    save_file(
        {f"member.algorithm.model.{name}": array for name, array in earlier.items()}, folder / "tensors.safetensors"
    )
    config = ClampedConfig(sequences=40, clamps=("Induction(1:*)", "Layer1()+Copy(1:0)"))
    report = Clamped(config).evaluate(Trained(model, ("PrevToken(0:0)",)), context(tmp_path))
    ctx = context()
    batch = draw(task(ctx), "train", 40, ctx)

    def loss(of, clamps):
        logits = of(batch.x, batch.y, clamps=clamps).detach()
        return float(torch.nn.functional.cross_entropy(logits, torch.as_tensor(batch.y[:, -1])))

    names = {"none": "", "trained": "PrevToken(0:0)"} | {clamp: clamp for clamp in config.clamps}
    old = ICLTransformer.from_arrays(earlier, **model.options, dtype=torch.float64)
    want = [(step, name, loss(of, clamps)) for step, of in ((128, old), (500, model)) for name, clamps in names.items()]
    assert [(row["sequences"], row["clamp"]) for row in report.rows] == [row[:2] for row in want]
    assert np.allclose([row["loss"] for row in report.rows], [row[2] for row in want])
    assert math.isclose(report.scores["trained/loss"], loss(model, "PrevToken(0:0)"))
    filmed = InductionConfig(sequences=40, sets=("train",), film=str(tmp_path / "film.gif"))
    Induction(filmed).evaluate(Trained(model), context(tmp_path))
    with Image.open(tmp_path / "film.gif") as image:
        assert image.n_frames == 2  # the checkpoint, and the model as it is
    with pytest.raises(UsageError, match="no clamp is called 'Inductoin': did you mean Induction"):
        Clamped(ClampedConfig(clamps=("Inductoin(1:0)",))).evaluate(model, context())


def test_clamps_that_a_model_has_no_room_for_are_left_out_by_default():
    report = Clamped(ClampedConfig(sequences=20)).evaluate(built(depth=3), context())
    assert "none/loss" in report.scores
    assert "Induction(2:*)/loss" in report.scores
    assert "Layer1()/loss" not in report.scores
    assert "Layer1() is left out: Layer1() is for models with 2 blocks" in report.notes[0]


def stored(folder):
    """The spec that makes ``folder`` a run."""
    spec = {"algorithm": "zoo-icl/icl-transformer", "kind": "algorithm", "environment": "zoo-envs/icl-exemplars"}
    (folder / "spec.json").write_text(json.dumps(spec | {"plugin_version": "0.1.0", "steps": 1000}), encoding="utf-8")
    return folder


def test_transience_reads_the_curves_of_the_run(tmp_path):
    icl = [0.5, 0.7, 0.95, 0.95, 0.9, 0.8, 0.7, 0.6, 0.6, 0.6]
    lines = [{"step": 100 * i, "train/loss": loss} for i, loss in enumerate([0.7, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2])]
    lines += [{"step": 50 + 100 * i, "icl/in_context_acc": v, "flip/in_context_acc": v} for i, v in enumerate(icl)]
    text = "\n".join(json.dumps(line) for line in sorted(lines, key=lambda line: line["step"]))
    (tmp_path / "metrics.jsonl").write_text(text + '\n{"step": 9', encoding="utf-8")
    report = TransienceEvaluator(TransienceConfig(sequences=20)).evaluate(mute, context(stored(tmp_path), **FIXED))
    found = report.scores
    assert (found["transience/peak"], found["transience/final"], found["transience/transient"]) == (0.9, 0.6, 1.0)
    assert (found["phase/plateau_start"], found["phase/plateau_end"]) == (0.0, 200.0)
    falls = {"onset": (100, 0.7, 0.9), "t_half": (400, 0.4, 0.5), "t_04": (500, 0.3, 0.4)}  # by .1 in 100 sequences
    for name, (before, loss, part) in falls.items():
        assert found[f"phase/{name}"] == pytest.approx(before + 1000 * (loss - part * math.log(2)))
    assert "these events did not happen: transience/t_cross." in report.notes
    assert math.isclose(found["icl/in_context_acc"], 0.5, abs_tol=0.3)
    assert "iwl/acc" in found


def test_transience_says_what_it_has_no_curve_of(tmp_path):
    report = TransienceEvaluator(TransienceConfig(sequences=20)).evaluate(mute, context(stored(tmp_path)))
    assert "no curve of icl/in_context_acc or train/loss was logged: its events are left out." in report.notes
    assert set(report.scores) == {"icl/in_context_acc"}
    with pytest.raises(UsageError, match="no curve icl/in_context_acc or train/loss to judge, and no set icl"):
        TransienceEvaluator(TransienceConfig()).evaluate(mute, context(num_outputs=6, context=3))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: InductionConfig(sequences=0), "sequences = 0: expected an integer of at least 1"),
        (lambda: AblationConfig(batch_size=-1), "batch_size = -1"),
        (lambda: TransienceConfig(floor=0.0), "floor = 0.0: expected a number above 0"),
    ],
)
def test_options_out_of_range_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_numbers_of_a_matrix_are_short():
    shown = [number(value) for value in (0.5, -0.25, -0.001, 1.0, -1.5, 12.345, math.nan)]
    assert shown == [".50", "-.25", ".00", "1.00", "-1.50", "12.35", "-"]
