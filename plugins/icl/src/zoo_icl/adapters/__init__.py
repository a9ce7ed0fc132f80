"""Other libraries' transformers, for the same probes."""
