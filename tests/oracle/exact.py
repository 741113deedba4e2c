# SPDX-License-Identifier: Apache-2.0
"""Functions whose exact result is rounded once (docs/numbers.md, "Transcendental functions"). They are
computed in f64; where that is too near to a point where rounding turns, once more with many digits."""
import decimal
import math

import numpy as np

from dtypes import rounded

ONE = decimal.Decimal(1)
DOUBT = 2.0**-38  # far above what libm and a few roundings in f64 can be wrong by


def _erfc(x):
    """erfc of a Decimal: the series of erf near 0 (of positive terms), else the continued fraction."""
    if x < 0:
        return 2 - _erfc(-x)
    pi = 16 * _arctan_inverse(5) - 4 * _arctan_inverse(239)
    if x < 6:
        term = total = x
        n = 0
        while abs(term) > abs(total).scaleb(-decimal.getcontext().prec - 5):
            n += 1
            term = term * 2 * x * x / (2 * n + 1)
            total += term
        return 1 - 2 / pi.sqrt() * (-x * x).exp() * total
    fraction = x
    for n in range(600, 0, -1):
        fraction = x + decimal.Decimal(n) / 2 / fraction
    return (-x * x).exp() / pi.sqrt() / fraction


def _arctan_inverse(n):
    total = term = ONE / n
    k = 1
    while abs(term) > ONE.scaleb(-decimal.getcontext().prec - 5):
        term /= -n * n
        k += 2
        total += term / k
    return total


def _tanh(x):
    up, down = x.exp(), (-x).exp()
    return (up - down) / (up + down)


EXACT = {
    "exp": lambda x: x.exp(),
    "log": lambda x: x.ln(),
    "tanh": _tanh,
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "silu": lambda x: x / (1 + (-x).exp()),
    "gelu": lambda x: x / 2 * _erfc(-x / decimal.Decimal(2).sqrt()),
    "rsqrt": lambda x: 1 / x.sqrt(),
}

_erfc64 = np.vectorize(math.erfc, otypes=[np.float64])

NEAR = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: np.where(np.isneginf(x), -0.0, x / (1 + np.exp(-x))),
    "gelu": lambda x: np.where(np.isneginf(x), -0.0, x / 2 * _erfc64(-x / math.sqrt(2))),
    "rsqrt": lambda x: 1 / np.sqrt(np.abs(x)) * np.where(x < 0, np.nan, np.copysign(1, x)),
}


def transcendental(func, x, dtype):
    """The function of f32 numbers, rounded once to the dtype, as f64."""
    distinct, back = np.unique(np.asarray(x, np.float32).view(np.uint32), return_inverse=True)
    x64 = distinct.view(np.float32).astype(np.float64)
    near = NEAR[func](x64)
    result = rounded(near, dtype)
    low, high = rounded(near * (1 - DOUBT), dtype), rounded(near * (1 + DOUBT), dtype)
    with decimal.localcontext() as context:
        context.prec, context.Emin, context.Emax = 160, decimal.MIN_EMIN, decimal.MAX_EMAX
        for i in np.flatnonzero((low != high) & np.isfinite(near) & (near != 0)):
            exact = EXACT[func](decimal.Decimal(float(x64[i])))
            # f64, rounded to odd, so that the one last rounding is right
            whole = float(exact)
            rest = exact - decimal.Decimal(whole)
            if rest != 0 and not np.float64(whole).view(np.uint64) & np.uint64(1):
                whole = math.nextafter(whole, math.inf if rest > 0 else -math.inf)
            result[i] = rounded(whole, dtype)
    return result[back].reshape(np.shape(x))
