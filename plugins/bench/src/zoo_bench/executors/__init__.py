"""Executors beyond this machine: engines that run the same function in their workers as ``--executor local`` does.

Each engine is a library that is imported when it is asked for.
"""
