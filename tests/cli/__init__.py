"""The command line, end to end in subprocesses."""
