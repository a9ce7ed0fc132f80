"""Options of every algorithm; nothing in this package imports torch or stable-baselines3."""
