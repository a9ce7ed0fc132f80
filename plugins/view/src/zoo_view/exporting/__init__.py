"""From a stored run to files that need no zoo to be read: tensors, a card, an ONNX model."""
