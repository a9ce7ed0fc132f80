"""Where the runs of a suite are made: worker processes of this machine, or an engine that reaches beyond it.

Each engine is a library that is imported when it is asked for; all of them run the same function in their workers.
"""

from zoo_bench.executors.choice import EXECUTORS, Executor, choose

__all__ = ["EXECUTORS", "Executor", "choose"]
