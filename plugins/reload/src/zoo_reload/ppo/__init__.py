"""ReLOAD with function approximation, on the on-policy learner of ``zoo-onpolicy``."""
