"""The source policy: an exact optimum, a run, or a network's weights; read, never written."""
