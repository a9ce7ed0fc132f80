"""Progress measures: pure functions of logits, patterns and curves; of numpy arrays or torch tensors alike."""

from zoo_icl.probes.attention import InductionStrength as InductionStrength
from zoo_icl.probes.attention import attention_to_labels as attention_to_labels
from zoo_icl.probes.attention import induction_strength as induction_strength
from zoo_icl.probes.attention import mean_pattern as mean_pattern
from zoo_icl.probes.attention import prev_token_baseline as prev_token_baseline
from zoo_icl.probes.attention import prev_token_excess as prev_token_excess
from zoo_icl.probes.attention import prev_token_sequences as prev_token_sequences
from zoo_icl.probes.attention import prev_token_strength as prev_token_strength
from zoo_icl.probes.attention import repeated_induction_strength as repeated_induction_strength
from zoo_icl.probes.dense import DenseSet as DenseSet
from zoo_icl.probes.dense import dense_evaluation_set as dense_evaluation_set
from zoo_icl.probes.events import PhaseChange as PhaseChange
from zoo_icl.probes.events import Transience as Transience
from zoo_icl.probes.events import opposition as opposition
from zoo_icl.probes.events import phase_change as phase_change
from zoo_icl.probes.events import transience as transience
from zoo_icl.probes.heads import complementarity as complementarity
from zoo_icl.probes.heads import composition_score as composition_score
from zoo_icl.probes.query import METRICS as METRICS
from zoo_icl.probes.query import QueryMetrics as QueryMetrics
from zoo_icl.probes.query import Summary as Summary
from zoo_icl.probes.query import context_mask as context_mask
from zoo_icl.probes.query import query_metrics as query_metrics
from zoo_icl.probes.query import summaries as summaries
from zoo_icl.probes.query import summarise as summarise
