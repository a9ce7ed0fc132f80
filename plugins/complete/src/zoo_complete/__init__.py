"""Completion of the zoo's command line.

Nothing is imported here: a shell waits for ``zoo_complete.answer`` at every press of the tab key.
"""
