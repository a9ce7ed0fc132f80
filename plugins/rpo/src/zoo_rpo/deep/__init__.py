"""Regularised policy optimisation with function approximation, on the learner of ``zoo_onpolicy``."""
