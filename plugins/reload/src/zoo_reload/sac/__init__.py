"""ReLOAD and its comparator off-policy, on the soft actor-critic of ``zoo-sb3``."""
