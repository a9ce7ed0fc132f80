"""Language models of other libraries: attention patterns, scores of heads, clamps.

Those libraries are not imported here: the adapters only call methods of the model.
"""

from zoo_icl.adapters.head_scores import HeadScores as HeadScores
from zoo_icl.adapters.head_scores import LayerScores as LayerScores
from zoo_icl.adapters.head_scores import score_heads as score_heads
from zoo_icl.adapters.huggingface import HuggingFacePatterns as HuggingFacePatterns
from zoo_icl.adapters.intervention import Intervention as Intervention
from zoo_icl.adapters.intervention import clamped as clamped
from zoo_icl.adapters.repeated import PatternModel as PatternModel
from zoo_icl.adapters.repeated import RepeatedTokenScores as RepeatedTokenScores
from zoo_icl.adapters.repeated import repeated_token_test as repeated_token_test
from zoo_icl.adapters.repeated import repeated_tokens as repeated_tokens
from zoo_icl.adapters.tokens import Tokens as Tokens
from zoo_icl.adapters.tokens import padded as padded
from zoo_icl.adapters.tokens import random_repeated as random_repeated
from zoo_icl.adapters.tokens import tokenized as tokenized
from zoo_icl.adapters.transformer_lens import LensPatterns as LensPatterns
