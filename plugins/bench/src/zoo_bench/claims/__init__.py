"""Claims and what runs say about them."""

from zoo_bench.claims.formula import formula_of as formula_of
from zoo_bench.claims.formula import source_of as source_of
from zoo_bench.claims.judge import Records as Records
from zoo_bench.claims.judge import judge as judge
from zoo_bench.claims.judge import judge_claim as judge_claim
from zoo_bench.claims.verdict import Effect as Effect
from zoo_bench.claims.verdict import Verdict as Verdict
