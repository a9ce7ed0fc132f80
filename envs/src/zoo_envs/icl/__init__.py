"""Few-shot sequences of exemplars and labels, for studying in-context learning.

`task.ICLTask` draws batches of sequences; `environment` wraps it as episodes of one step. Mathematics and names
follow Singh et al. 2023 (arXiv:2311.08360) and 2024 (arXiv:2404.07129).
"""

from __future__ import annotations

from zoo_envs.icl.batch import BURSTY, DISTRACTOR, OTHER, QUERY, SequenceBatch

__all__ = ["BURSTY", "DISTRACTOR", "OTHER", "QUERY", "SequenceBatch"]
