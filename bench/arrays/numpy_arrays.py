# SPDX-License-Identifier: Apache-2.0
"""NumPy's elementwise functions: COUNT elements, so many times; prints a line of `name dtype ns` for each."""
import sys
import time

import numpy as np

count, rounds = int(sys.argv[1]), int(sys.argv[2])
random = np.random.default_rng(1)


def operands(dtype):
    return [random.uniform(-4, 4, count).astype(dtype) for _ in range(3)]


def least(call):
    """Nanoseconds a call: the least of all rounds, each long enough to be timed."""
    best, times = float("inf"), 1
    while True:
        start = time.process_time_ns()
        for _ in range(times):
            call()
        took = time.process_time_ns() - start
        if took > 2_000_000:
            break
        times *= 2
    for _ in range(rounds):
        start = time.process_time_ns()
        for _ in range(times):
            call()
        best = min(best, (time.process_time_ns() - start) / times)
    return best


answers = []
for name, dtype in (("f16", np.float16), ("f32", np.float32), ("i8", np.int8)):
    a, b, out = operands(dtype)
    other = np.zeros(count, np.float16 if dtype == np.float32 else np.float32)
    calls = {
        "add": lambda: np.add(a, b, out=out),
        "mul": lambda: np.multiply(a, b, out=out),
        "max": lambda: np.maximum(a, b, out=out),
    }
    if dtype != np.int8:
        calls |= {
            "exp": lambda: np.exp(a, out=out),
            "tanh": lambda: np.tanh(a, out=out),
            "sum": lambda: np.sum(a),
            "cast": lambda: np.copyto(other, a, casting="unsafe"),
        }
    answers += [f"{function} {name} {least(call):.1f}" for function, call in calls.items()]
print("; ".join(answers))
