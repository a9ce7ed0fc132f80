"""Worker processes that share seeds."""
