"""Values of expressions: what is added to the exact tiers."""
