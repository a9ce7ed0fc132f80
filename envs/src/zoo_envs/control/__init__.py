"""Cart-pole in arrays, and constrained tasks of the control suite."""
