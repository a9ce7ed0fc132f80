"""The policy for text: a causal language model with one value head for each reward model and one for KL.

Needs torch; ``zoo_composite_rm.language_learner`` is used where an environment offers a language model.
"""

from __future__ import annotations

from zoo_composite_rm.language.network import LanguageNetwork
from zoo_composite_rm.language.reference import Reference
from zoo_composite_rm.language.tokens import Tokens

__all__ = ["LanguageNetwork", "Reference", "Tokens"]
