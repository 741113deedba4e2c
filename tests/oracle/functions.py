# SPDX-License-Identifier: Apache-2.0
"""What `math` and `gemm` compute (docs/numbers.md; docs/memory-model.md, section 5), from arrays to arrays:
floats come as f32 and leave as what is still to be rounded to the output's dtype, integers are i64."""
import numpy as np

import dtypes
from exact import NEAR, transcendental


def wrap(value):
    """Modulo 2^32, signed."""
    return np.asarray(value, np.int64).astype(np.uint64).astype(np.uint32).astype(np.int32).astype(np.int64)


def fma(a, b, c):
    """a b + c of f32 numbers, rounded once. In f64 the product is exact; the sum is rounded to odd."""
    product, c = np.float64(a) * np.float64(b), np.float64(c)
    total = product + c
    part = total - product
    rest = (product - (total - part)) + (c - part)  # what the sum has lost: exact
    bits = np.atleast_1d(total).view(np.int64)
    step = np.where(np.signbit(rest) == np.signbit(total), 1, -1)
    lost = np.isfinite(total) & (rest != 0) & (bits & 1 == 0).reshape(np.shape(total))
    odd = (bits.reshape(np.shape(total)) + np.where(lost, step, 0)).astype(np.int64)
    return np.atleast_1d(odd).view(np.float64).reshape(np.shape(total)).astype(np.float32)


def _keys(a):
    """Integers that order floats as IEEE 754-2019 minimum does: -0 is below +0."""
    bits = np.ascontiguousarray(a, np.float32).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFFFFFF) - 1, bits)


def _choose(a, b, least):
    if a.dtype == np.int64:
        return np.minimum(a, b) if least else np.maximum(a, b)
    a, b = np.broadcast_arrays(a, b)
    first = _keys(a) <= _keys(b) if least else _keys(a) >= _keys(b)
    return np.where(np.isnan(a) | np.isnan(b), np.float32(np.nan), np.where(first, a, b))


def minimum(a, b):
    return _choose(a, b, True)


def maximum(a, b):
    return _choose(a, b, False)


def plain(function):
    """A function that wraps for integers, and is one f32 operation for floats."""
    def either(*inputs):
        result = function(*inputs)
        return wrap(result) if inputs[0].dtype == np.int64 else result
    return either


add = plain(lambda a, b: a + b)
multiply = plain(lambda a, b: a * b)

ELEMENTWISE = {
    "add": add,
    "sub": plain(lambda a, b: a - b),
    "mul": multiply,
    "div": lambda a, b: a / b,
    "min": minimum,
    "max": maximum,
    "neg": plain(lambda a: -a),
    "abs": plain(np.abs),
    "sqrt": np.sqrt,
    "recip": lambda a: np.float32(1) / a,
    "relu": lambda a: maximum(a, np.zeros((), a.dtype)),
    "where": lambda a, b, c: np.where(a != 0, b, c),
    "fma": lambda a, b, c: wrap(a * b + c) if a.dtype == np.int64 else fma(a, b, c),
}
SCALAR = {"add_scalar": add, "mul_scalar": multiply}
REDUCTIONS = {"sum": add, "prod": multiply, "reduce_min": minimum, "reduce_max": maximum}
OF_ROWS = {*REDUCTIONS, "softmax"}


def tree(join, rows):
    """Neighbours along the last axis in pairs, an odd last one carried over, until one is left."""
    while rows.shape[-1] > 1:
        pairs = rows.shape[-1] // 2 * 2
        joined = join(rows[..., 0:pairs:2], rows[..., 1:pairs:2])
        rows = np.concatenate([joined, rows[..., pairs:]], axis=-1)
    return rows[..., 0]


def softmax(rows):
    exps = rows - tree(maximum, rows)[..., None]
    exps = transcendental("exp", exps, "f32").astype(np.float32)
    return exps / tree(add, exps)[..., None]


def math(func, inputs, in_dtype, out_dtype, constants):
    """The output's elements, still to be rounded to its dtype."""
    if func == "fill":
        return dtypes.immediate(constants[0], out_dtype)
    if func == "cast":
        to_integer = out_dtype in dtypes.INTEGERS
        return dtypes.nearest_integer(inputs[0], out_dtype) if to_integer else inputs[0]
    if func in SCALAR:
        return SCALAR[func](inputs[0], dtypes.immediate(constants[0], in_dtype))
    if func in REDUCTIONS:
        return tree(REDUCTIONS[func], inputs[0])
    if func == "softmax":
        return softmax(inputs[0])
    if func in NEAR:
        return transcendental(func, inputs[0], out_dtype)
    return ELEMENTWISE[func](*inputs)


def gemm(a, b, start):
    """One chain of fma for each element, k rising; integers modulo 2^32."""
    total = start
    for k in range(a.shape[1]):
        left, right = a[:, k, None], b[None, k, :]
        total = wrap(total + left * right) if a.dtype == np.int64 else fma(left, right, total)
    return total
