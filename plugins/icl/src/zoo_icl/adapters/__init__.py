"""Attention patterns of other libraries' language models, and the standard test of their induction heads.

Nothing of those libraries is imported here: the adapters call what a model offers.
"""

from zoo_icl.adapters.huggingface import HuggingFacePatterns as HuggingFacePatterns
from zoo_icl.adapters.repeated import PatternModel as PatternModel
from zoo_icl.adapters.repeated import RepeatedTokens as RepeatedTokens
from zoo_icl.adapters.repeated import repeated_token_test as repeated_token_test
from zoo_icl.adapters.repeated import repeated_tokens as repeated_tokens
from zoo_icl.adapters.transformer_lens import LensPatterns as LensPatterns
