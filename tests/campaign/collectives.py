#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""collectives.py [--ranks N,N...] [--sample COUNT] [--only TEXT]: all algorithms, verified and counted.

Every algorithm of every collective at all counts of ranks and elements below; dtypes, ops, memories of
tensors and rings, slots, ways of waiting and roots vary so that any two values of two parameters meet. Each
run must verify without a finding, and have as many copies, receives, releases and reductions as the
textbook's messages have slots: those are counted here for themselves, from the textbook's pages. Counts of
ranks that an algorithm does not serve must be refused. With --sample only so many of the runs are made.
Needs KB_BIN; works in $KB_TMP or here.
"""
import argparse
import concurrent.futures
import itertools
import json
import os
import random
import subprocess
import sys

BIN = os.environ["KB_BIN"]
RANKS = [1, 2, 3, 4, 5, 7, 8, 12, 16, 31, 64, 256]
SIZE = {"f16": 2, "bf16": 2, "f32": 4, "i8": 1, "i32": 4}
FACTORS = {
    "dtype": list(SIZE), "op": ["sum", "prod", "min", "max"], "buffer": ["tcm", "hbm", "sram"],
    "ring": ["tcm", "hbm", "sram"], "wait": ["sleep", "poll"], "slots": [1, 2, 4], "slot_bytes": [256, 4096],
    "root": ["first", "middle", "last"],
}
PACKAGE = 128  # PEs of the default machine's


def ceil(a, b):
    return -(-a // b)


# --- the textbook's messages: (elements, is it reduced) ------------------------------------------------


def even(whole, parts, i):
    return whole // parts + (i < whole % parts)


def block(whole, parts, i):
    return max(0, min(ceil(whole, parts), whole - i * ceil(whole, parts)))


def power_below(n):
    return 1 << (n.bit_length() - 1)


def rows_of(n):
    return max(i for i in range(1, n + 1) if i * i <= n and n % i == 0)


def rounds(n):
    return (n - 1).bit_length()


def around(shares, reduces):
    """Each share visits all others once."""
    return [(share, reduces) for share in shares for _ in range(len(shares) - 1)]


def both(messages):
    return [(m, True) for m in messages] + [(m, False) for m in messages]


def folded(n, elements):
    """Whole tensors with ranks 1, 2, 4 ... away, those beyond a power of two before and after."""
    p = power_below(n)
    inside = p * (p.bit_length() - 1)
    return [(elements, True)] * (n - p + inside) + [(elements, False)] * (n - p)


def halved(places, share):
    """Each place sends half of what it still has: its range of shares, lowest bit first."""
    messages = []
    for place in range(places):
        first, end, bit = 0, places, 1
        while bit < places:
            middle = (first + end) // 2
            mine, theirs = (first, middle), (middle, end)
            if place & bit:
                mine, theirs = theirs, mine
            messages.append(sum(share(i) for i in range(*theirs)))
            (first, end), bit = mine, bit * 2
    return messages


def grid(n, elements):
    rows = rows_of(n)
    columns = n // rows
    of_row = [even(elements, columns, i) for i in range(columns)]
    sums = []
    for _ in range(rows):
        sums += around(of_row, True)
    for share in of_row:
        sums += around([even(share, rows, i) for i in range(rows)], True)
    return sums + [(m, False) for m, _ in sums]


def by_packages(n, elements):
    packages = ceil(n, PACKAGE)
    inside = n - packages
    return both([elements] * inside) + folded(packages, elements)


def all_reduce(name, n, e):
    halves = [even(e, 2, 0), even(e, 2, 1)]
    if name in ("ring", "direct"):
        chunks = [even(e, n, i) for i in range(n)]
        return around(chunks, True) + around(chunks, False)
    if name == "biring":
        return [m for half in halves for m in all_reduce("ring", n, half)]
    if name == "tree":
        return both([e] * (n - 1))
    if name == "double_tree":
        return [m for half in halves for m in both([half] * (n - 1))]
    if name == "recursive_doubling":
        return folded(n, e)
    if name == "halving_doubling":
        p = power_below(n)
        return both([e] * (n - p)) + both(halved(p, lambda i: even(e, p, i)))
    if name in ("mesh", "torus"):
        return grid(n, e)
    return by_packages(n, e) if name == "hierarchical" else None


def reduce_scatter(name, n, e):
    blocks = [block(e, n, i) for i in range(n)]
    if name in ("ring", "direct"):
        return around(blocks, True)
    p = power_below(n)
    surplus = n - p
    first = lambda place: 2 * place if place < surplus else place + surplus
    messages = [(e, True)] * surplus + [(blocks[2 * i], False) for i in range(surplus)]
    size = p // 2
    while size:
        for place in range(p):
            base = place // (2 * size) * 2 * size + (0 if place & size else size)
            messages.append((sum(blocks[first(base):first(base + size)]), True))
        size //= 2
    return messages


def all_gather(name, n, e):
    if name in ("ring", "direct"):
        return [(e, False)] * (n * (n - 1))
    p = power_below(n)
    surplus = n - p
    first = lambda place: 2 * place if place < surplus else place + surplus
    messages = [(e, False)] * surplus + [(e * n, False)] * surplus
    size = 1
    while size < p:
        for base in (i // size * size for i in range(p)):
            messages.append((e * (first(base + size) - first(base)), False))
        size *= 2
    return messages


def all_to_all(name, n, e):
    if name == "pairwise":
        return [(block(e, n, i), False) for i in range(n) for _ in range(n - 1)]
    if name != "bruck":
        return None
    sent = [sum(1 for i in range(n) if i >> bit & 1) for bit in range(rounds(n))]
    return [(blocks * ceil(e, n), False) for blocks in sent for _ in range(n)]


TEXTBOOK = {
    "all_reduce": all_reduce, "reduce_scatter": reduce_scatter, "all_gather": all_gather,
    "all_to_all": all_to_all, "broadcast": lambda name, n, e: [(e, False)] * (n - 1),
    "reduce": lambda name, n, e: [(e, True)] * (n - 1), "barrier": lambda name, n, e: [],
}


def served(name, n):
    return name not in ("mesh", "torus") or (n > 3 and rows_of(n) > 1)


# --- one run --------------------------------------------------------------------------------------------


def command(case, path):
    kind, name, n, elements = case["kind"], case["name"], case["n"], case["elements"]
    bench = "allreduce" if kind == "all_reduce" else kind
    words = ["run", bench, "--ranks", str(n), "--set", f"ipcq.max_queues={max(16, n)}", "--json", "-q",
             "--seed", str(case["seed"]), "-o", path]
    params = {"algo": name, "ring": case["ring"], "backpressure": case["wait"], "slots": case["slots"],
              "slot_bytes": case["slot_bytes"]}
    if n > 12:  # room for the shares of so many, and for a ring of each
        words += ["--set", "tcm.bytes=128MiB", "--set", "sram.bytes=1GiB"]
    if kind != "barrier":
        params.update(elems=elements, dtype=case["dtype"], buffer=case["buffer"])
    if kind in ("all_reduce", "reduce", "reduce_scatter"):
        params["op"] = case["op"]
    if kind in ("broadcast", "reduce"):
        params["root"] = {"first": 0, "middle": n // 2, "last": n - 1}[case["root"]]
    for key, value in params.items():
        words += ["-p", f"{key}={value}"]
    return words


def wanted(case):
    """How many copies and reductions; reductions are not told where pieces of scratch cut them."""
    messages = TEXTBOOK[case["kind"]](case["name"], case["n"], case["elements"])
    if messages is None:
        return None, None
    size = SIZE[case["dtype"]]
    in_slot = case["slot_bytes"] // size
    tensor = case["elements"] * (case["n"] if case["kind"] == "all_gather" else 1) * size
    is_cut = case["buffer"] != "tcm" and tensor > 1 << 17
    copies = sum(ceil(m, in_slot) for m, _ in messages)
    sums = sum(ceil(m, in_slot) for m, reduced in messages if reduced)
    is_told = not is_cut and case["kind"] != "all_to_all"  # bruck turns its blocks around where they lie
    return None if is_cut and case["by_slots"] else copies, sums if is_told else None


def wrong_counts(case, ops):
    copies, sums = wanted(case)
    found = [ops.get(kind, 0) for kind in ("ipcq_copy", "ipcq_recv", "ipcq_release")]
    if copies is not None and found != [copies] * 3:
        return f"copies, receives, releases {found}, and the textbook has {copies}"
    if sums is not None and ops.get("math", 0) != sums:
        return f"{ops.get('math', 0)} reductions, and the textbook has {sums}"
    return None


def check(case):
    """What is wrong with a run, or None."""
    path = f"run-{os.getpid()}-{case['seed']}.zst"
    words = command(case, path)
    ran = subprocess.run([f"{BIN}/kb-sim", *words], capture_output=True, text=True, check=False)
    if not served(case["name"], case["n"]):
        told = ran.returncode == 2 and "works among r x c ranks" in ran.stderr and "the nearest" in ran.stderr
        return None if told else f"not refused: {' '.join(words)}\n{ran.stderr}"
    if ran.returncode != 0:
        return f"{' '.join(words)}\nstatus {ran.returncode}: {ran.stderr}"
    words_of_replay = [f"{BIN}/kb-replay", path, "--verify", "--json", "--max-memory", "4Gi"]
    replayed = subprocess.run(words_of_replay, capture_output=True, text=True, check=False)
    os.unlink(path)
    verdict = json.loads(replayed.stdout or "{}")
    if replayed.returncode != 0 or verdict.get("findings") or verdict.get("unchecked"):
        return f"{' '.join(words)}\n{replayed.stdout[:2000]}{replayed.stderr}"
    if verdict.get("collectives") != 1:
        return f"{' '.join(words)}\nno collective: {replayed.stdout[:500]}"
    counts = wrong_counts(case, json.loads(ran.stdout)["ops"])
    return f"{' '.join(words)}\n{counts}" if counts else None


# --- all of them ------------------------------------------------------------------------------------------


def elements_of(kind, n, place):
    """An all-gather's tensors have n times as many: of many ranks only so many in all as others have."""
    large = 65537 // n if kind == "all_gather" and n > 16 else 65537
    return [0, 1, n - 1, n, 1000, large][place]


def pairs_of(case):
    keys = ["kind", "name", "n", "place", *FACTORS]
    return {(a, case[a], b, case[b]) for a, b in itertools.combinations(keys, 2)}


def cases(rows, ranks):
    """All algorithms, ranks and sizes, the other factors drawn so that new pairs of values meet."""
    draw = random.Random(6)
    met = set()
    for seed, (row, n, place) in enumerate(itertools.product(rows, ranks, range(6))):
        if row["collective"] == "barrier" and place > 0:
            continue
        best = None
        for _ in range(24):
            case = {key: draw.choice(values) for key, values in FACTORS.items()}
            case.update(kind=row["collective"], name=row["name"], n=n, place=place, seed=seed,
                        elements=elements_of(row["collective"], n, place), by_slots=row["by_slots"])
            gain = len(pairs_of(case) - met)
            if best is None or gain > best[0]:
                best = gain, case
        met |= pairs_of(best[1])
        yield best[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ranks", default=",".join(map(str, RANKS)))
    parser.add_argument("--sample", type=int, default=0)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    os.chdir(os.environ.get("KB_TMP", "."))
    words = [f"{BIN}/kb-sim", "list", "algorithms", "--json"]
    listed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    rows = [row for row in json.loads(listed)["algorithms"]
            if given.only in f"{row['collective']} {row['name']}"]
    todo = list(cases(rows, [int(n) for n in given.ranks.split(",")]))
    if given.sample:
        todo = random.Random(3).sample(todo, min(given.sample, len(todo)))
    failed, counted = 0, 0
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        for case, wrong in zip(todo, pool.map(check, todo)):
            counted += served(case["name"], case["n"]) and wanted(case)[0] is not None
            if wrong:
                failed += 1
                print(wrong, flush=True)
    print(f"{len(todo)} runs, {counted} counted, {failed} wrong")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
