# SPDX-License-Identifier: Apache-2.0
"""Scores of kb-replay --verify over the faults of kb-mutate; see mutants.sh."""
import json
import os
import subprocess
import sys
import tempfile

BIN = os.environ["KB_BIN"]
BUFFER = os.environ.get("BUFFER", "tcm")
ALGORITHMS = os.environ.get("ALGORITHMS", "ring tree direct").split()
ORDERS = ["recorded", "random:1", "random:2", "random:3"]


def run(tool, *words):
    return subprocess.run([os.path.join(BIN, tool), *words], capture_output=True, text=True, check=False)


def result(tool, *words):
    return json.loads(run(tool, *words, "--json").stdout)


class Trace:
    """A good trace: where it lies, its ops, and what memory holds at its end."""

    def __init__(self, folder, algorithm, ranks):
        self.path = os.path.join(folder, f"{algorithm}-{ranks}.zst")
        run("kb-sim", "run", "allreduce", "--ranks", str(ranks), "-p", "elems=1000", "-p",
            f"algo={algorithm}", "-p", f"buffer={BUFFER}", "-q", "-o", self.path)
        self.algorithm = algorithm
        self.ops = {}
        for line in run("kb-export", self.path, "--to", "jsonl").stdout.splitlines():
            row = json.loads(line)
            if row["type"] == "op":
                self.ops[row["rank"], row["index"]] = row
        self.digest = result("kb-replay", self.path, "--verify")["digest"]

    def neighbours(self, rank, index):
        """Who stands beside an op: in its stream, queue and engine, and who claims it or is claimed."""
        gone = self.ops[rank, index]
        found = set()
        for key in ("stream", "engine"):
            beside = [i for (r, i), op in self.ops.items() if r == rank and op[key] == gone[key]]
            before = max((i for i in beside if i < index), default=index)
            behind = min((i for i in beside if i > index), default=index)
            found |= {(rank, before), (rank, behind)}
        for at, op in self.ops.items():
            if gone["queue"] is not None and op["queue"] == gone["queue"] and abs(
                    op["sequence"] - gone["sequence"]) <= 1:
                found.add(at)
            if any((claim["rank"], claim["op"]) == (rank, index) for claim in op["claims"]):
                found.add(at)
        return found | {(claim["rank"], claim["op"]) for claim in gone["claims"] if claim["op"] is not None}


def judge(trace, fault, seed, bad):
    """(what was spoilt, how it came out): found and named, found, equal, missed; None where nothing fits."""
    made = run("kb-mutate", trace.path, "--fault", fault, "--seed", str(seed), "--json", "-o", bad)
    if made.returncode != 0:
        return None
    made = json.loads(made.stdout)
    spoilt = made["rank"], made["op"]
    told = result("kb-replay", bad, "--verify")
    if told["verdict"] == "pass":
        digests = {result("kb-replay", bad, "--order", order)["digest"] for order in ORDERS}
        return spoilt, "equal" if digests == {trace.digest} else "missed"
    if not told["findings"]:
        return spoilt, "found"
    ops = [(op["rank"], op["index"]) for op in told["findings"][0]["ops"][:2]]
    meant = {spoilt}
    if fault == "drop-op":
        meant = trace.neighbours(*spoilt)
        ops = [(rank, index + (rank == spoilt[0] and index >= spoilt[1])) for rank, index in ops]
    if fault == "double-op":
        ops = [(rank, index - (rank == spoilt[0] and index > spoilt[1])) for rank, index in ops]
    return spoilt, "named" if meant & set(ops) else "found"


def main():
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    ranks = [int(word) for word in sys.argv[2:]] or [2, 3, 5, 8]
    faults = [fault["name"] for fault in result("kb-mutate", "--list")["faults"]]
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        traces = [Trace(folder, algorithm, count) for algorithm in ALGORITHMS for count in ranks]
        for trace in traces:
            for fault in faults:
                seen = {}
                for seed in range(draws):
                    judged = judge(trace, fault, seed, os.path.join(folder, "bad.zst"))
                    if judged is None:
                        break
                    seen[judged[0]] = judged[1]
                for spoilt, outcome in seen.items():
                    scores.setdefault((fault, trace.algorithm), []).append(outcome)
                    if outcome in ("missed", "found"):
                        where = f"{os.path.basename(trace.path)} at rank {spoilt[0]} #{spoilt[1]}"
                        print(f"{outcome}: {fault} in {where}", file=sys.stderr)
    return print_table(faults, scores)


def cell(outcomes):
    if not outcomes:
        return "—"
    tried = [outcome for outcome in outcomes if outcome != "equal"]
    caught = sum(outcome != "missed" for outcome in tried)
    equal = len(outcomes) - len(tried)
    return f"{caught} / {len(tried)}, {tried.count('named')}" + (f" (+{equal})" if equal else "")


def print_table(faults, scores):
    print("| fault | " + " | ".join(ALGORITHMS) + " |")
    print("| --- |" + " --- |" * len(ALGORITHMS))
    for fault in faults:
        if any((fault, algorithm) in scores for algorithm in ALGORITHMS):
            print(f"| {fault} | " + " | ".join(cell(scores.get((fault, a))) for a in ALGORITHMS) + " |")
    every = {a: [o for (_, b), outcomes in scores.items() if a == b for o in outcomes] for a in ALGORITHMS}
    print("| all | " + " | ".join(cell(every[a]) for a in ALGORITHMS) + " |")
    return 1 if any("missed" in outcomes for outcomes in every.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
