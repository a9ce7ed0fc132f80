"""The learner: Adam on a stream of sequences, evaluated on fixed sets."""
