"""Discovery of plugins, their names and their options."""
