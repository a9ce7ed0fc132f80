"""One module for each command, imported only when its command runs: ``main(args, options)`` is its exit status."""
