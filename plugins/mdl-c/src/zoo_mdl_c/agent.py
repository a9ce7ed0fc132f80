"""MDL-C (arXiv:2207.08258) on policy, and its baselines, which differ in the options of the default policy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import torch  # noqa: F401  the default policies use torch
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
    """One member of a ``MultitaskLearner``."""

    learner: MultitaskLearner

    @classmethod
    def make_learner(cls, contexts: Sequence[Context], config: ConfigT) -> MultitaskLearner:
        """One learner for all these members."""
        return MultitaskLearner(contexts, config)

    @property
    def default(self) -> DefaultLearner | None:
        """The default policy, or None where there is none."""
        defaults = self.learner.objective.defaults
        return defaults[self.index] if defaults else None


class MDLC(MultitaskControl[MDLCConfig]):
    """Control towards a default policy whose description length is penalised."""


class RPO(MultitaskControl[RPOConfig]):
    """Control towards a default policy whose description length is not penalised (beta = 0 in the paper)."""


class ManualIA(MultitaskControl[ManualIAConfig]):
    """Control towards a default policy that does not see a part of the observation."""


class Distral(MultitaskControl[DistralConfig]):
    """Control towards an unpenalised default policy, with an entropy bonus (Teh et al. 2017, arXiv:1707.04175)."""


class PO(MultitaskControl[POConfig]):
    """Control without a default policy."""


class VDOPO(MultitaskControl[VDOPOConfig]):
    """Control without a default policy; the description length of the control policy is penalised."""
