# SPDX-License-Identifier: Apache-2.0
"""replay.py FILE...: the memory digest of each trace, a line each, from what kb-export --to jsonl prints. A
slow, obvious second replay, written from the pages in docs/ alone: it shares nothing with kb but these."""
import json
import sys

import numpy as np

import functions
import memory
from dtypes import SIZES, raw_of, values
from order import dataflow

# These only name their operand, or read it and do nothing with it.
NOTHING = {"ipcq_recv", "ipcq_release", "wait", "fence", "barrier", "launch", "host_read", "map", "unmap",
           "coll_begin", "coll_end"}


class Replay:
    def __init__(self, tables, ops):
        self.ops = ops
        ranges = [[] for _ in tables.get("memory", [])]
        for op in ops:
            for operand in op["operands"]:
                touched = memory.hull(operand)
                if touched:
                    ranges[operand["memory"]].append(touched)
        for row in tables.get("initial", []):
            first = row["offset_bytes"]
            ranges[row["memory"]].append((first, first + row["elements"] * SIZES[row["dtype"]]))
        self.memories = [memory.Memory(these) for these in ranges]
        for row in tables.get("initial", []):
            self.memories[row["memory"]].initial(row)

    def run(self, op):
        if op["kind"] in NOTHING or op["reached"] == "issue":
            return
        if op["reached"] == "done":
            getattr(self, op["kind"])(op, *op["operands"])
            return
        for operand in op["operands"]:  # it began: what it has written of this nobody knows
            if operand["access"] != "read":
                self.undefine(operand)

    def views(self, operand):
        return self.memories[operand["memory"]].views(operand)

    def values(self, operand):
        return values(self.views(operand)[0], operand["dtype"])

    def put(self, operand, value):
        """Values in the operand's order, each rounded once, or one for all."""
        raw, defined = self.views(operand)
        new = raw_of(value, operand["dtype"]).reshape(-1, raw.shape[-1])
        raw[...] = np.broadcast_to(new, (raw.size // raw.shape[-1], raw.shape[-1])).reshape(raw.shape)
        defined[...] = True

    def move(self, _, to, source):
        """Bytes, and whether they are defined."""
        for target, new in zip(self.views(to), [old.copy() for old in self.views(source)]):
            target[...] = new.reshape(target.shape)

    dma_read = dma_write = ipcq_copy = move

    def math(self, op, out, *sources):
        if op["func"] == "copy":
            return self.move(op, out, *sources)
        inputs = [self.values(source) for source in sources]
        if op["func"] not in functions.OF_ROWS:
            inputs = [value.reshape(-1) for value in inputs]  # as many elements, in whatever shapes
        dtype = sources[0]["dtype"] if sources else out["dtype"]
        return self.put(out, functions.math(op["func"], inputs, dtype, out["dtype"], op["immediates"]))

    def gemm(self, op, out, left, right):
        a, b = self.values(left), self.values(right)
        a = a.T if "transpose_a" in op["flags"] else a
        b = b.T if "transpose_b" in op["flags"] else b
        start = self.values(out) if "accumulate" in op["flags"] else np.zeros(out["shape"], a.dtype)
        self.put(out, functions.gemm(a, b, start))

    def host_write(self, op, to):
        raw, defined = self.views(to)
        raw[...] = np.frombuffer(bytes.fromhex(op["payload"]), np.uint8).reshape(raw.shape)
        defined[...] = True

    def undefine(self, operand):
        for array in self.views(operand):  # what is undefined reads as 0
            array[...] = 0

    def alloc(self, _, what):
        self.undefine(what)

    free = alloc

    def assume(self, op, what):
        seen = int.from_bytes(self.views(what)[0].tobytes(), "little")
        if seen != op["value"]:
            raise ValueError(f"rank {op['rank']} #{op['index']} assumes {op['value']}, not {seen}")


def read(path):
    tables, ops = {}, []
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            (ops if row["type"] == "op" else tables.setdefault(row["type"], [])).append(row)
    return tables, ops


def main():
    np.seterr(all="ignore")
    for path in sys.argv[1:]:
        replay = Replay(*read(path))
        order = dataflow(replay.ops)
        if len(order) < len(replay.ops):
            raise ValueError(f"{path}: {len(replay.ops) - len(order)} ops can never start")
        for op in order:
            replay.run(op)
        print(memory.digest(replay.memories))


if __name__ == "__main__":
    main()
