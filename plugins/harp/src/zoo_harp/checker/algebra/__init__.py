"""Values of expressions, exact where possible."""
