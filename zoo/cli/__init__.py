"""The command line: one module for each command, imported only when its command runs."""
