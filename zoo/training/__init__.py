"""From names to a finished run directory."""
