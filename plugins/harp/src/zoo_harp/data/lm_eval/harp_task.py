"""Functions of the task ``harp`` for lm-evaluation-harness. Written by ``zoo harp lm-eval``."""

from zoo_harp.protocol.lm_eval_adapter import process_docs, process_results

__all__ = ["process_docs", "process_results"]
