"""MDL-C off policy: soft actor-critics whose entropy has given way to the divergence from a default policy."""
