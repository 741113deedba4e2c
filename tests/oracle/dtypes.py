# SPDX-License-Identifier: Apache-2.0
"""The dtypes of docs/numbers.md: what bytes stand for, and how a value is rounded. Floats are held as f32,
integers as i64. A rounding is the definition itself: the nearest multiple of the quantum, ties to even."""
import numpy as np

SIZES = {"f16": 2, "bf16": 2, "f32": 4, "i8": 1, "i32": 4, "f8e4m3": 1, "f8e5m2": 1, "bytes": 1}
INTEGERS = {"i8": np.int8, "i32": np.int32}
# digits, the least exponent of a quantum, the largest number
FLOATS = {"f16": (11, -24, 65504.0), "bf16": (8, -133, (2 - 2.0**-7) * 2.0**127),
          "f32": (24, -149, (2 - 2.0**-23) * 2.0**127)}
NAN = {"f16": 0x7E00, "bf16": 0x7FC0, "f32": 0x7FC00000}


def rounded(value, dtype):
    """f64 to the nearest float of the dtype, ties to even, as f64."""
    digits, least, largest = FLOATS[dtype]
    value = np.asarray(value, np.float64)
    exponent = np.frexp(value)[1].astype(np.int64) - digits
    quantum = np.maximum(np.where(np.isfinite(value) & (value != 0), exponent, least), least)
    near = np.ldexp(np.rint(np.ldexp(value, -quantum)), quantum)
    return np.where(np.abs(near) > largest, np.copysign(np.inf, value), near)


def values(raw, dtype):
    """Elements as bytes (the last axis) to the numbers that they stand for."""
    bits = np.ascontiguousarray(raw)
    if dtype in INTEGERS:
        return bits.view(INTEGERS[dtype])[..., 0].astype(np.int64)
    if dtype == "f16":
        return bits.view(np.float16)[..., 0].astype(np.float32)
    if dtype == "bf16":
        return (bits.view(np.uint16).astype(np.uint32) << 16).view(np.float32)[..., 0]
    return bits.view(np.float32)[..., 0]


def raw_of(value, dtype):
    """f64 or f32 numbers, rounded once, or integers, cut, as bytes; every NaN is the canonical one."""
    if dtype in INTEGERS:
        cut = np.asarray(value).astype(np.int64).astype(np.uint64) & np.uint64(0xFFFFFFFF)
        bits = np.ascontiguousarray(cut.astype(np.uint32).astype(INTEGERS[dtype]))
    else:
        near = rounded(value, dtype)
        bits = near.astype(np.float32).view(np.uint32)
        if dtype == "bf16":
            bits = (bits >> 16).astype(np.uint16)
        elif dtype == "f16":
            bits = near.astype(np.float16).view(np.uint16)
        bits = np.where(np.isnan(near), NAN[dtype], bits).astype(bits.dtype)
    return bits[..., None].view(np.uint8)


def nearest_integer(value, dtype):
    """A cast of a number into an integer: to nearest even, then to the end of the range; 0 for a NaN."""
    ends = np.iinfo(INTEGERS[dtype])
    value = np.asarray(value, np.float64)
    return np.clip(np.rint(np.where(np.isnan(value), 0, value)), ends.min, ends.max).astype(np.int64)


def immediate(text, dtype):
    """The bits of an f64 for floats, rounded to f32; else two's complement."""
    bits = np.array([int(text, 16)], np.uint64)
    if dtype in INTEGERS:
        return bits.view(np.int64)[0]
    return rounded(bits.view(np.float64), "f32").astype(np.float32)[0]
