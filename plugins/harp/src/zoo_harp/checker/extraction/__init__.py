"""Extraction from a model's output: the reply within the output, and the answer within the reply."""
