"""The gradient of the transformer by hand, without autograd: its layers, and one training step."""
