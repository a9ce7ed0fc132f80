"""Clamps ("artificial optogenetics"): declared interventions on the forward pass, as values.

``model(x, y, clamps=[PrevToken("0:0"), Ablate("1:0-2,1:4-7")])``; or as text: ``clamps="Layer1()+Copy(1:3)"``.
"""

from zoo_icl.clamps.attention import Induction as Induction
from zoo_icl.clamps.attention import LabelsOnly as LabelsOnly
from zoo_icl.clamps.attention import Match as Match
from zoo_icl.clamps.attention import NoPrevToken as NoPrevToken
from zoo_icl.clamps.attention import PrevToken as PrevToken
from zoo_icl.clamps.attention import Temperature as Temperature
from zoo_icl.clamps.base import Clamp as Clamp
from zoo_icl.clamps.base import ClampConflictError as ClampConflictError
from zoo_icl.clamps.composition import Clamps as Clamps
from zoo_icl.clamps.composition import compose as compose
from zoo_icl.clamps.subcircuits import Copy as Copy
from zoo_icl.clamps.subcircuits import Graft as Graft
from zoo_icl.clamps.subcircuits import GraftOut as GraftOut
from zoo_icl.clamps.subcircuits import Layer1 as Layer1
from zoo_icl.clamps.text import parse as parse
from zoo_icl.clamps.values import Ablate as Ablate
from zoo_icl.clamps.values import AblateEmbedding as AblateEmbedding
from zoo_icl.clamps.values import Constant as Constant
from zoo_icl.clamps.values import Live as Live
from zoo_icl.clamps.values import PreserveKeys as PreserveKeys
from zoo_icl.clamps.values import PreservePatterns as PreservePatterns
from zoo_icl.clamps.values import PreserveQueries as PreserveQueries
from zoo_icl.clamps.values import PreserveValues as PreserveValues
