"""Integers: small factors, roots, perfect powers."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Final

SMALL_PRIMES: Final = tuple(p for p in range(2, 2000) if all(p % d for d in range(2, math.isqrt(p) + 1)))


def factors(n: int) -> tuple[tuple[int, int], ...]:
    """Prime factors below 2000 with their exponents; the rest as one factor, or a perfect power."""
    exponents: dict[int, int] = {}
    for prime in SMALL_PRIMES:
        if prime * prime > n:
            break
        while n % prime == 0:
            exponents[prime] = exponents.get(prime, 0) + 1
            n //= prime
    if n > 1:
        base, times = perfect_power(n)
        exponents[base] = exponents.get(base, 0) + times
    return tuple(exponents.items())


small_factors = lru_cache(maxsize=4096)(factors)


def is_proven_prime(n: int) -> bool:
    """Whether trial division has shown it: no factor below 2000 and less than its square."""
    return n < SMALL_PRIMES[-1] ** 2


def integer_root(n: int, k: int) -> int:
    """The largest integer whose k-th power is at most n >= 0."""
    if k == 2:
        return math.isqrt(n)
    if n < 2:
        return n
    x = 1 << -(-n.bit_length() // k)
    while True:
        y = ((k - 1) * x + n // x ** (k - 1)) // k
        if y >= x:
            return x
        x = y


def perfect_power(n: int) -> tuple[int, int]:
    """``(base, exponent)`` with ``base ** exponent == n`` for exponents 2, 3, 5, 7 and their products, else (n, 1)."""
    exponent = 1
    for k in (2, 3, 5, 7):
        while n > 1 and n.bit_length() < 20_000:
            root = integer_root(n, k)
            if root**k != n:
                break
            n, exponent = root, exponent * k
    return n, exponent
