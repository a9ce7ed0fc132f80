"""What a run is on disk: spec, logs, checkpoints, replay buffers, locks, and reading them within bounds."""
