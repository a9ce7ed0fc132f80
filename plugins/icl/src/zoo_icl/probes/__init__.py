"""Progress measures of circuits: pure functions of patterns, logits and labels."""
