"""``python -m zoo``: the same as the command ``zoo``."""

import sys

from zoo.cli.main import main

sys.exit(main())
