"""MDL-C (arXiv:2207.08258) on policy, and its baselines: what differs is the default policy, in the options."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch  # noqa: F401  the defaults are torch's
from zoo_onpolicy.agent import OnPolicy

from zoo import Context
from zoo_mdl_c.config import (
    ActorCriticConfig,
    DistralConfig,
    ManualIAConfig,
    MDLCConfig,
    POConfig,
    RPOConfig,
    VDOPOConfig,
)
from zoo_mdl_c.distillation import DefaultLearner
from zoo_mdl_c.learner import MultitaskLearner

__all__ = ["MDLC", "PO", "RPO", "VDOPO", "Distral", "ManualIA"]

ConfigT = TypeVar("ConfigT", bound=ActorCriticConfig)


class MultitaskControl(OnPolicy[ConfigT]):
    """One member of a learner over tasks; see ``zoo_mdl_c.learner``."""

    learner: MultitaskLearner

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: ConfigT) -> MultitaskLearner:
        """The learner of these members."""
        return MultitaskLearner(contexts, config)

    @property
    def default(self) -> DefaultLearner | None:
        """The default policy, where there is one."""
        defaults = self.learner.objective.defaults
        return defaults[self.index] if defaults else None


class MDLC(MultitaskControl[MDLCConfig]):
    """Control towards a default policy of short description."""


class RPO(MultitaskControl[RPOConfig]):
    """Control towards a default policy that costs nothing (beta = 0 in the paper's objective)."""


class ManualIA(MultitaskControl[ManualIAConfig]):
    """Control towards a default policy that does not see a part of the observation."""


class Distral(MultitaskControl[DistralConfig]):
    """Control towards a default policy, and entropy (Teh et al. 2017, arXiv:1707.04175)."""


class PO(MultitaskControl[POConfig]):
    """Control alone."""


class VDOPO(MultitaskControl[VDOPOConfig]):
    """Control alone, with a price on its weights."""
