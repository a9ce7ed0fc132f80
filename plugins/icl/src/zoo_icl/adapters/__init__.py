"""Attention patterns of other libraries' language models, and the standard test for induction heads.

Those libraries are not imported here: the adapters only call methods of the model.
"""

from zoo_icl.adapters.huggingface import HuggingFacePatterns as HuggingFacePatterns
from zoo_icl.adapters.repeated import PatternModel as PatternModel
from zoo_icl.adapters.repeated import RepeatedTokenScores as RepeatedTokenScores
from zoo_icl.adapters.repeated import repeated_token_test as repeated_token_test
from zoo_icl.adapters.repeated import repeated_tokens as repeated_tokens
from zoo_icl.adapters.transformer_lens import LensPatterns as LensPatterns
