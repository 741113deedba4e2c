# SPDX-License-Identifier: Apache-2.0
"""The hold model in SimPy: hold.py PENDING WARM-UP HOLDS INCREMENTS-FILE WAY.

Ways: `processes`, as SimPy's pages write a simulation; `callbacks`, the least that its event queue can be
asked for. Prints nanoseconds a hold, and the clock at the end.
"""
import itertools
import sys
import time

import simpy

pending, warm_up, holds = (int(word) for word in sys.argv[1:4])
with open(sys.argv[4], encoding="ascii") as file:
    increments = [int(line) for line in file]
stamps = []


def mark():
    """Takes the time when the iteration comes by; gives nothing."""
    stamps.append(time.process_time())
    yield from ()


def repeated(first, count):
    return itertools.islice(itertools.cycle(increments), first, first + count)


waits = itertools.chain(repeated(0, pending + warm_up), mark(), repeated(pending + warm_up, holds), mark())
env = simpy.Environment()
ended = env.event()


def process():
    for wait in waits:
        yield env.timeout(wait)
    if not ended.triggered:
        ended.succeed()


def fire(_):
    for wait in waits:
        env.timeout(wait).callbacks.append(fire)
        return
    if not ended.triggered:
        ended.succeed()


for _ in range(pending):
    if sys.argv[5] == "processes":
        env.process(process())
    else:
        fire(None)
env.run(until=ended)
print(f"{(stamps[1] - stamps[0]) * 1e9 / holds:.3f} {env.now}")
