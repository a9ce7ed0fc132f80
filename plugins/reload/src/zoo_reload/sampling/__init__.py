"""Constraints of learners that sample: values from episodes, units, multipliers, and the distance from the optimum."""
