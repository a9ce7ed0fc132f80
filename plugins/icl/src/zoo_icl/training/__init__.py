"""The learner: Adam on a stream of sequences, with fixed sets to look at it."""
