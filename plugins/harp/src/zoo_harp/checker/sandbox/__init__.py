"""What comes from a model before it is mathematics: the reply within the output, and the boxes in the reply."""
