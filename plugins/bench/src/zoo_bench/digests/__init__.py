"""What committed results were made of, and whether that is still what the suite and its plugins say."""

from zoo_bench.digests.check import Stale as Stale
from zoo_bench.digests.check import check_all as check_all
from zoo_bench.digests.check import digest_file as digest_file
from zoo_bench.digests.digest import digest_of_suite as digest_of_suite
from zoo_bench.digests.digest import read_digest as read_digest
from zoo_bench.digests.proof import proven as proven
