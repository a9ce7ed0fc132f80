"""Small MDPs with exact models, for plain gymnasium users and for `zoo`.

Importing this package registers the ids of `zoo_envs_plugin.TABLE` with gymnasium::

    import gymnasium, zoo_envs
    env = gymnasium.make("zoo/HazardGrid-v0")
    copies = gymnasium.make_vec("zoo/HazardGrid-v0", num_envs=64, vectorization_mode="vector_entry_point")

``gymnasium.make("zoo_envs:zoo/HazardGrid-v0")`` imports the package by itself. Classes load at first use.
"""

from __future__ import annotations

import gymnasium
from zoo_envs_plugin import TABLE

__all__ = ["__version__"]

__version__ = "0.1.0"

for _row in TABLE:
    gymnasium.register(id=_row.gymnasium_id, entry_point=_row.target, vector_entry_point=_row.vector or None)
