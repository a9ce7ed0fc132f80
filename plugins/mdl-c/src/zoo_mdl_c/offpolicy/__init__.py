"""MDL-C off policy: soft actor-critics with the divergence from a default policy in place of the entropy."""
