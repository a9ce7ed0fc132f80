"""The checker inside lm-evaluation-harness and TRL, with the real packages."""

from __future__ import annotations

import gc
import json
import warnings
from importlib import import_module

import pytest
from zoo_harp.protocol.trl_reward import harp_reward

from zoo import UsageError


@pytest.fixture(autouse=True)
def nothing_left_over():
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()  # what these libraries left open complains here, and not during another test


def test_a_reward_for_each_completion():
    texts = [r"so \boxed{3\sqrt5}", "I think it is 4", [{"role": "assistant", "content": r"\boxed{7}"}], [], "x"]
    gold = [r"\sqrt{45}", "5", "7", "1", None]
    assert harp_reward(completions=texts, answer=gold, prompts=[""] * 5) == [1.0, 0.0, 1.0, 0.0, None]
    with pytest.raises(UsageError, match="column 'answer': the dataset has prompts"):
        harp_reward(completions=texts, prompts=[""] * 5)


@pytest.mark.slow
def test_trl_trains_on_the_reward(tmp_path, need):
    """One step of GRPO on a model of a few thousand weights: the trainer calls the reward and logs it."""
    need("trl")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        datasets, tokenizers, transformers = map(import_module, ("datasets", "tokenizers", "transformers"))
        from trl import GRPOConfig, GRPOTrainer

        words = {word: place for place, word in enumerate(["[PAD]", "[EOS]", *"0123456789"])}
        raw = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[PAD]"))
        raw.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
        tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=raw, pad_token="[PAD]", eos_token="[EOS]")
        shape = {"n_positions": 16, "n_embd": 8, "n_layer": 1, "n_head": 1}
        config = transformers.GPT2Config(vocab_size=12, bos_token_id=1, eos_token_id=1, pad_token_id=0, **shape)
        seen = []

        def reward(**columns):
            seen.append(harp_reward(**columns))
            return seen[-1]

        arguments = GRPOConfig(
            output_dir=str(tmp_path), max_steps=1, per_device_train_batch_size=4, num_generations=4, use_cpu=True,
            max_completion_length=2, report_to=[], logging_steps=1, save_strategy="no", disable_tqdm=True,
        )  # fmt: skip
        trainer = GRPOTrainer(
            model=transformers.GPT2LMHeadModel(config), reward_funcs=[reward], args=arguments,
            train_dataset=datasets.Dataset.from_dict({"prompt": ["1", "2"], "answer": ["3", "4"]}),
            processing_class=tokenizer,
        )  # fmt: skip
        trainer.train()
    assert [len(rewards) for rewards in seen] == [4]
    assert set(seen[0]) <= {0.0, 1.0}
    logged = [entry["reward"] for entry in trainer.state.log_history if "reward" in entry]
    assert logged == [pytest.approx(sum(seen[0]) / 4)]


TASK = """
task: harp_test
dataset_path: json
dataset_kwargs: {{data_files: {{test: {data}}}}}
test_split: test
output_type: generate_until
doc_to_text: "{{{{problem}}}}"
doc_to_target: "{{{{answer}}}}"
generation_kwargs: {{until: ["END"]}}
metric_list:
  - metric: harp
filter_list:
  - name: whole
    filter: [{{function: take_first}}]
  - name: extract
    filter: [{{function: harp}}, {{function: take_first}}]
"""


@pytest.mark.slow
def test_lm_eval_filters_and_scores(tmp_path, monkeypatch, need):
    need("lm_eval")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import lm_eval
        from lm_eval.api.model import LM
        from lm_eval.tasks import TaskManager
        from zoo_harp.protocol import lm_eval_adapter

        assert lm_eval_adapter.ExtractAnswer
        replies = {
            "p1": r"It is $\boxed{3\sqrt5}$.",
            "p2": "I cannot say.\n\nIt is too hard.",
            "p3": "The final answer is $0.5$.",
        }

        class Scripted(LM):
            def generate_until(self, requests, disable_tqdm=False):
                return [replies[request.args[0]] for request in requests]

            def loglikelihood(self, requests, disable_tqdm=False):
                raise NotImplementedError

            def loglikelihood_rolling(self, requests, disable_tqdm=False):
                raise NotImplementedError

        data = tmp_path / "data.jsonl"
        golds = {"p1": r"\sqrt{45}", "p2": "2", "p3": r"\frac12"}
        data.write_text("".join(json.dumps({"problem": p, "answer": a}) + "\n" for p, a in golds.items()))
        (tmp_path / "tasks").mkdir()
        (tmp_path / "tasks" / "harp_test.yaml").write_text(TASK.format(data=data))
        manager = TaskManager(include_path=str(tmp_path / "tasks"), include_defaults=False)
        results = lm_eval.simple_evaluate(Scripted(), tasks=["harp_test"], task_manager=manager, bootstrap_iters=0)
    scores = results["results"]["harp_test"]
    assert scores["harp,whole"] == pytest.approx(2 / 3)
    assert scores["harp,extract"] == pytest.approx(2 / 3)
    extracted = [
        sample["filtered_resps"] for sample in results["samples"]["harp_test"] if sample["filter"] == "extract"
    ]
    assert extracted == [[r"$\boxed{3\sqrt5}$"], [""], [r"$\boxed{0.5}$"]]
