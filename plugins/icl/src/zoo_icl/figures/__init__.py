"""Figures for ``zoo plot``: how a circuit forms, how in-context learning comes and goes, and those of the papers.

Horizontal axes are sequences seen. Runs that differ in their seed alone share a panel: a line is their mean, the band
around it reaches from the lowest to the highest of them.
"""

from zoo_icl.figures.circuits import heads as heads
from zoo_icl.figures.circuits import patterns as patterns
from zoo_icl.figures.curves import phases as phases
from zoo_icl.figures.curves import strategies as strategies
from zoo_icl.figures.paper import paper_3a as paper_3a
from zoo_icl.figures.paper import paper_3b as paper_3b
from zoo_icl.figures.paper import paper_4a as paper_4a
from zoo_icl.figures.paper import paper_4b as paper_4b
from zoo_icl.figures.paper import paper_5b as paper_5b
from zoo_icl.figures.paper import paper_6 as paper_6
from zoo_icl.figures.paper import paper_11 as paper_11
from zoo_icl.figures.paper import paper_16b as paper_16b
from zoo_icl.figures.paper import paper_18 as paper_18
from zoo_icl.figures.progress import progress as progress
