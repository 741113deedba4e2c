#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Do times of collectives follow their formulas? Of an algorithm's formula a part does not depend on the
bytes of a rank (messages times alpha), and the rest is in proportion to them (beta and gamma). So a line
through the times of two sizes must tell those between: among sizes whose smallest message is 8 whole slots
at least, and among those whose largest message fits into one slot. And where all ways are alike, the time a
byte must grow with the number of ranks as the formula has it. fits.py KB_SIM KB_EXPORT [--sample] prints a
table, and fails where a time is off by more than 2 per cent though no message waited for what another
rank's held."""
import json
import subprocess
import sys

MOST = 0.02
MANY_SLOT, ONE_SLOT = 2048, 65536
MANY = (8, 12, 16, 24, 32)  # slots of the smallest message
ONE = (16, 24, 32, 48, 64)  # KiB of the largest one


def power(n):
    return 1 << n.bit_length() - 1


def columns(n):
    return n // max(d for d in range(1, n + 1) if n % d == 0 and d * d <= n)


def is_grid(n):
    return columns(n) < n


def folds(n):
    return power(n) < n


def each(n):
    return (n - 1) / n


def log(n):
    return power(n).bit_length() - 1


def rows(n):
    """Of n blocks, those that `bruck` sends in each round."""
    return [sum(j >> k & 1 for j in range(n)) for k in range((n - 1).bit_length())]


# Bench and algorithm: S / smallest message, S / largest message, which ranks it serves here, and its
# formula's factor of S (beta + gamma) where that is one number for all n. S is what `bytes` says: of
# all_gather a share. More than 8 messages at a time by `direct` that exceed their rings stand in each
# other's way.
ALGORITHMS = {
    ("allreduce", "ring"): (lambda n: n, lambda n: n, None, each),
    ("allreduce", "biring"): (lambda n: 2 * n, lambda n: 2 * n, None, each),
    ("allreduce", "direct"): (lambda n: n, lambda n: n, lambda n: n <= 9, None),
    ("allreduce", "recursive_doubling"): (lambda n: 1, lambda n: 1, None, log),
    ("allreduce", "halving_doubling"): (power, lambda n: 1 if folds(n) else 2, None, each),
    ("allreduce", "tree"): (lambda n: 1, lambda n: 1, None, None),
    ("allreduce", "double_tree"): (lambda n: 2, lambda n: 2, None, None),
    ("allreduce", "mesh"): (lambda n: n, columns, is_grid, None),
    ("allreduce", "torus"): (lambda n: n, columns, is_grid, each),
    ("allreduce", "hierarchical"): (lambda n: 1, lambda n: 1, None, None),
    ("reduce_scatter", "ring"): (lambda n: n, lambda n: n, None, each),
    ("reduce_scatter", "halving"): (lambda n: n, lambda n: 1 if folds(n) else 2, None, each),
    ("reduce_scatter", "direct"): (lambda n: n, lambda n: n, lambda n: n <= 9, None),
    ("all_gather", "ring"): (lambda n: 1, lambda n: 1, None, lambda n: n - 1),
    ("all_gather", "doubling"): (lambda n: 1, lambda n: (1 if folds(n) else 2) / n, None, lambda n: n - 1),
    ("all_gather", "direct"): (lambda n: 1, lambda n: 1, lambda n: n <= 9, None),
    ("broadcast", "tree"): (lambda n: 1, lambda n: 1, None, None),
    ("broadcast", "chain"): (lambda n: 1, lambda n: 1, None, None),
    ("broadcast", "direct"): (lambda n: 1, lambda n: 1, lambda n: n <= 17, None),
    ("reduce", "tree"): (lambda n: 1, lambda n: 1, None, None),
    ("reduce", "chain"): (lambda n: 1, lambda n: 1, None, None),
    ("reduce", "direct"): (lambda n: 1, lambda n: 1, lambda n: n <= 17, None),
    ("all_to_all", "pairwise"): (lambda n: n, lambda n: n, lambda n: n <= 17, None),
    ("all_to_all", "bruck"): (lambda n: n / min(rows(n)), lambda n: n / (2 * power(max(rows(n)))), None,
                              None),
}
# Wires and TCMs' inward ports so wide and short that no message waits for another and all ways are as long:
# what is left is a PE's own work, and its port.
IDEAL = ("noc.link_gbps=1000000", "ucie.gbps=1000000", "pcie.gbps=1000000", "tcm.write_gbps=1000000",
         "noc.router_ns=0", "noc.ns_per_mm=0", "ucie.port_ns=0", "pcie.endpoint_ns=0", "io_noc.ns=0")
MACHINES = [
    ("sips=1,cubes=8x1,pes=8", IDEAL, (2, 3, 4, 5, 6, 8, 12, 16, 31, 64)),
    ("sips=1,cubes=1,pes=8", (), (2, 3, 4, 6, 8)),
    ("sips=1,cubes=4x4,pes=1", (), (4, 9, 16)),
]
SAMPLE = [("sips=1,cubes=8x1,pes=8", IDEAL, (3, 4, 16)), ("sips=1,cubes=1,pes=8", (), (4,))]


def run(tool, *arguments):
    done = subprocess.run([tool, *arguments], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{tool} {' '.join(arguments)}: {done.stderr}")
    return done.stdout


def time_of(sim, machine, sets, ranks, algorithm, size, slot):
    bench, name = algorithm
    out = run(sim, "run", bench, "--machine", machine, "--ranks", str(ranks),
              "-p", "algo=" + name, "-p", f"bytes={size}", "-p", f"slot_bytes={slot}",
              "-q", "--json", "-o", "fit.zst", *(word for s in sets for word in ("--set", s)))
    return json.loads(out)["collectives"][0]["time_ps"]


def is_contended(export):
    """Whether an op of the run that was last made waited for what an op of another rank held."""
    for line in run(export, "fit.zst", "--to", "jsonl").splitlines():
        if '"contention"' not in line and '"port"' not in line:
            continue
        op = json.loads(line)
        for why in op.get("why", ()):
            blamed = why["blames"] if why["cause"] in ("contention", "port") else None
            if blamed is not None and blamed["rank"] != op["rank"]:
                return True
    return False


def fit(sizes, times):
    """Latency and time a byte by the first and the last, and how far the others are off."""
    slope = (times[-1] - times[0]) / (sizes[-1] - sizes[0])
    base = times[0] - slope * sizes[0]
    return base, slope, max(abs(base + slope * s - t) / t for s, t in zip(sizes, times))


class Rows:
    def __init__(self, sim, export):
        self.sim, self.export = sim, export
        self.failed = 0
        self.factors = {}  # by algorithm and sizes, of an ideal machine

    def add(self, machine, sets, ranks, name, regime):
        least, most, _, factor = ALGORITHMS[name]
        slot = MANY_SLOT if regime == "many" else ONE_SLOT
        sizes = [int(slot * least(ranks) * u if regime == "many" else 1024 * most(ranks) * u) // 2 * 2
                 for u in (MANY if regime == "many" else ONE)]  # whole elements of f16
        times = [time_of(self.sim, machine, sets, ranks, name, size, slot) for size in sizes]
        contended = not sets and is_contended(self.export)
        base, slope, worst = fit(sizes, times)
        self.failed += worst > MOST and not contended
        print(f"| {machine}{' (ideal)' if sets else ''} | {ranks} | {name[0]} `{name[1]}` | {regime} "
              f"| {base / 1000:.1f} | {slope:.4f} | {worst:.2%} | {'yes' if contended else 'no'} |")
        if sets and factor is not None and not (name[1].endswith(("halving", "doubling")) and folds(ranks)):
            self.factors.setdefault((name, regime), []).append(slope / factor(ranks))

    def check_factors(self):
        for (name, regime), found in self.factors.items():
            if max(found) > min(found) * (1 + MOST):
                self.failed += 1
                print(f"{' '.join(name)}, {regime}: a byte of its formula takes "
                      f"{min(found)} to {max(found)} ps")


def main(sim, export, machines):
    rows = Rows(sim, export)
    print("| machine | ranks | algorithm | sizes | at 0 bytes, ns | ps a byte | worst | contended |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for machine, sets, counts in machines:
        for ranks in counts:
            for name, (_, _, serves, _) in ALGORITHMS.items():
                for regime in ("many", "one"):
                    if serves is None or serves(ranks):
                        rows.add(machine, sets, ranks, name, regime)
    rows.check_factors()
    return rows.failed


if __name__ == "__main__":
    sys.exit(1 if main(sys.argv[1], sys.argv[2], SAMPLE if "--sample" in sys.argv[3:] else MACHINES) else 0)
