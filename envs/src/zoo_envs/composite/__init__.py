"""A tiny language task with two correlated reward models and a known truth."""
