"""The transformer, its taps and its weights as arrays."""
