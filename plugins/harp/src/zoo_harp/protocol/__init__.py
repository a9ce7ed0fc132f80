"""Querying models: prompts, the task for inspect_ai, and thin adapters for two other libraries."""
