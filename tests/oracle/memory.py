# SPDX-License-Identifier: Apache-2.0
"""Memory with definedness: each memory as pieces of bytes around what the trace touches, each byte defined or
not; initial contents (docs/trace-format.md, section 11), and the digest (docs/memory-model.md, section 5)."""
import bisect

import numpy as np
import xxhash

from dtypes import INTEGERS, SIZES, raw_of


def hull(operand):
    """The first and one past the last byte that an operand touches; None if it has no element."""
    if 0 in operand["shape"]:
        return None
    size = SIZES[operand["dtype"]]
    ways = [(n - 1) * s * size for n, s in zip(operand["shape"], operand["stride"])]
    offset = operand["offset"]
    return offset + sum(w for w in ways if w < 0), offset + sum(w for w in ways if w > 0) + size


def _mix(x):
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def contents(row):
    """The bytes of an Initial."""
    if row["recipe"] == "bytes":
        return np.frombuffer(bytes.fromhex(row["bytes"]), np.uint8)
    count, dtype = row["elements"], row["dtype"]
    if row["recipe"] == "zeros":
        return np.zeros(count * SIZES[dtype], np.uint8)
    low, high = float(row["low"]), float(row["high"])
    number = np.uint64(row["first_element"]) + np.arange(count, dtype=np.uint64)
    drawn = _mix(np.uint64(row["seed"]) + (number + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    if row["recipe"] == "constant":
        value = np.full(count, low)
    elif row["recipe"] == "iota":
        value = low + number.astype(np.float64) * high
    elif row["recipe"] == "uniform":
        value = low + (high - low) * ((drawn >> np.uint64(11)).astype(np.float64) * 2.0**-53)
    elif row["recipe"] == "ints":
        value = low + (drawn % np.uint64(int(high) - int(low) + 1)).astype(np.float64)
    elif row["recipe"] == "signs":
        value = np.where(drawn >> np.uint64(63), -1.0, 1.0)
    else:
        raise ValueError(f"recipe {row['recipe']}")
    return raw_of(value.astype(np.int64) if dtype in INTEGERS else value, dtype).reshape(-1)


class Piece:
    def __init__(self, first, end):
        self.first = first
        self.bytes = np.zeros(end - first, np.uint8)
        self.defined = np.zeros(end - first, bool)


class Memory:
    """One memory of the trace, of which only [first, end) of `ranges` can be touched."""

    def __init__(self, ranges):
        self.pieces = []
        end = None
        for low, high in sorted(ranges):
            if end is None or low > end:
                if end is not None:
                    self.pieces.append(Piece(first, end))
                first, end = low, high
            end = max(end, high)
        if end is not None:
            self.pieces.append(Piece(first, end))
        self.firsts = [piece.first for piece in self.pieces]

    def views(self, operand):
        """Bytes and definedness of an operand: arrays of its shape, and an axis for an element's bytes."""
        size = SIZES[operand["dtype"]]
        shape = (*operand["shape"], size)
        if 0 in shape:
            return np.zeros(shape, np.uint8), np.zeros(shape, bool)
        piece = self.pieces[bisect.bisect_right(self.firsts, hull(operand)[0]) - 1]
        strides = (*(s * size for s in operand["stride"]), 1)
        at = operand["offset"] - piece.first
        return tuple(np.lib.stride_tricks.as_strided(array[at:], shape, strides)
                     for array in (piece.bytes, piece.defined))

    def initial(self, row):
        raw = contents(row)
        if raw.size:
            whole = {"offset": row["offset_bytes"], "dtype": "bytes", "shape": [raw.size], "stride": [1]}
            held, defined = self.views(whole)
            held[:, 0], defined[:, 0] = raw, True

    def runs(self):
        """(offset, bytes) of each maximal run of defined bytes, by rising offset."""
        for piece in self.pieces:
            edges = np.diff(np.concatenate([[False], piece.defined, [False]]).astype(np.int8))
            for first, end in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)):
                yield piece.first + int(first), piece.bytes[first:end]


def digest(memories):
    whole = xxhash.xxh3_128()
    for number, memory in enumerate(memories):
        for offset, run in memory.runs():
            for value in (number, offset, len(run)):
                whole.update(value.to_bytes(8, "little"))
            whole.update(xxhash.xxh3_128_digest(run.tobytes()))
    return whole.hexdigest()
