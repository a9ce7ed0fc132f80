"""Options of the composite-reward environments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

__all__ = ["TinyCompositeConfig", "TextCompositeConfig", "Truth"]

Truth = Literal["policy", "separable", "sample"]


@dataclass(frozen=True, kw_only=True)
class TinyCompositeConfig:
    """Options of ``zoo/TinyComposite-v0``."""

    theta: tuple[float, float] = (0.4555, 0.4429)
    """thresholds of E r1 and E r2, each in [0, 1]; by default the joint proxy point"""
    sense: Literal[">=", "=="] = ">="
    """sense of both constraints"""
    truth: Truth = "policy"
    """the true utility of a policy: "policy", a function of E r1, E r2 and KL; "separable", without the product of the
    two scores; "sample", the mean of a function of each sequence's r1 and r2"""
    independent: bool = False
    """whether r1 and r2 are independent under the reference; else they are correlated"""


@dataclass(frozen=True, kw_only=True)
class TextCompositeConfig:
    """Options of ``zoo/TextComposite-v0``, which needs the extra ``zoo-envs[text]``."""

    language_model: str = "local"
    """"local", a tiny GPT-2 that is trained once; else the folder of any causal language model with safetensors, or a
    name in the Hugging Face hub's cache on this machine"""
    adapter: str | None = field(default=None, metadata={"later": True})
    """folder of a LoRA adapter of the language model, which alone is trained (extra "lora"); None: all of it is"""
    prompts: str | None = field(default=None, metadata={"file": True, "later": True})
    """prompts of your own: a file of JSON Lines, one of text with a prompt a line, or a data set that was saved to disk
    (extra "datasets"); None: dialogues of a grammar"""
    column: str = field(default="prompt", metadata={"later": True})
    """the field of the prompt there: a text, or a list of messages"""
    chat_template: str | None = field(default=None, metadata={"file": True, "later": True})
    """"tokenizer", the one that the tokenizer has, or a file; None: that of the tokenizer for conversations"""
    reward_models: tuple[str, ...] = ("ngram", "intent")
    """"ngram", "intent", "hf:<folder or name>", functions of a --plugin FILE.py, and those of the entry points
    zoo_envs.reward_models; "NAME=" before one gives it another name"""
    thresholds: Mapping[str, float] | None = None
    """thresholds of the mean scores, by name of reward model; by default the reward model's own"""
    sense: Literal[">=", "=="] = ">="
    """sense of all constraints"""
    context: int = 3
    """of the grammar: utterances before the one to be written, at least 1"""
    context_tokens: int = 32
    """how many of their last tokens are read, at least 1; prompts of your own may not have more"""
    new_tokens: int = 20
    """tokens after which an episode ends, at least 1"""
    top_k: int | None = None
    """number of the reference's most probable tokens that are possible, at least 2 (the paper: 20); None: all"""
    seed: int = 0
    """seed of the grammar and the local model (not of the sampled episodes), at least 0"""
    cache: str | None = None
    """folder of the local model; None: ZOO_ENVS_CACHE, else the system's cache folder"""
    device: str = "cpu"
    """torch device of the reference model"""
