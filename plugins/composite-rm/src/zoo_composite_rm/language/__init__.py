"""The policy for text: a causal language model with one value head for each reward model and one for KL.

Needs torch; ``zoo_composite_rm.learner`` imports it where an environment offers a language model.
"""

from __future__ import annotations

from zoo_composite_rm.language.network import LanguageNetwork, make_network

__all__ = ["LanguageNetwork", "make_network"]
