"""CMDPs as exact arrays: the model, sampling from it, one copy or many at once, exact planning."""
