#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a run says of its collectives: no run beats its bound; single bounds by hand.
set -e
python3 - "$KB_BIN/kb-sim" <<'EOF'
import json, random, subprocess, sys

sim, random_ = sys.argv[1], random.Random(6)


def run(bench, *arguments):
    command = [sim, "run", bench, "--json", "-o", "x.zst", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, (command, done.stderr)
    return json.loads(done.stdout)["collectives"]


def one(*arguments):
    rows = run("allreduce", *arguments)
    assert len(rows) == 1, rows
    return rows[0]


# By hand: an all-reduce's bytes cross the edge of a package once each way, and leave n PEs 2 (n - 1) times.
row = one("--machine", "sips=2,cubes=2x1,pes=2", "-p", "bytes=1MiB")
assert row["cut"] == "sip" and row["bound_ps"] == (1 << 20) * 10000 // 576, row
row = one("--ranks", "4", "-p", "bytes=1MiB")
assert row["cut"] == "pe" and row["bound_ps"] == (1 << 20) * 6 * 1000 // (4 * 256), row
row = one("--machine", "sips=1,cubes=2x1,pes=8", "--set", "ucie.links=1", "-p", "bytes=1MiB")
assert row["cut"] == "cube" and row["bound_ps"] == (1 << 20) * 1000 // 128, row
row = one("--machine", "sips=1,cubes=4x1,pes=8", "--set", "ucie.links=1", "-p", "bytes=1MiB")
assert row["cut"] == "cube" and row["bound_ps"] == (1 << 20) * 1000 // 128, row
row = one("--ranks", "4", "-p", "elems=3")
assert row["cut"] == "latency" and 0 < row["bound_ps"] < 20000, row
row = one("--ranks", "4", "-p", "elems=0")
assert row["cut"] is None and row["bound_ps"] == 0, row
assert row["size_bytes"] == 0 and row["algbw_gbps"] == 0, row
row = one("--ranks", "2", "-p", "bytes=1MiB", "--set", "math.bytes_per_cycle=16")
assert row["cut"] == "math" and row["bound_ps"] == (1 << 20) // 2 // 16 * 1000, row

# Its figures belong together.
row = one("--ranks", "6", "-p", "bytes=64KiB")
assert abs(row["algbw_gbps"] - 65536e3 / row["time_ps"]) < 1e-9 * row["algbw_gbps"], row
assert abs(row["busbw_gbps"] - row["algbw_gbps"] * 2 * 5 / 6) < 1e-9 * row["busbw_gbps"], row

machines = ["sips=1,cubes=1,pes=8", "sips=2,cubes=2x2,pes=2", "sips=3x2,cubes=1,pes=2",
            "sips=1,cubes=3x1,pes=5", "sips=5,cubes=1x2,pes=1"]
settings = ["ucie.links=1", "ipcq.slots=64", "noc.link_gbps=32", "pcie.links=4", "system.grid=mesh_2d",
            "system.grid=torus_2d", "ipcq.ring=sram", "ipcq.ring=hbm", "math.bytes_per_cycle=8",
            "noc.ns_per_mm=3"]
benches = {"all_reduce": "allreduce"}  # others have their kind's name
listed = subprocess.run([sim, "list", "algorithms", "--json"], capture_output=True, text=True).stdout
algorithms = json.loads(listed)["algorithms"]
reached = set()
for turn in range(90):
    algorithm = algorithms[turn % len(algorithms)]
    kind, name = algorithm["collective"], algorithm["name"]
    arguments = ["--topology", random_.choice(["default", "kernbench"]),
                 "--machine", random_.choice(machines), "-p", "algo=" + name,
                 "--set", "ipcq.max_queues=64"]
    if kind != "barrier":
        arguments += ["-p", "elems=%d" % random_.choice([1, 2, 7, 100, 4096, 30000])]
    if kind in ("broadcast", "reduce"):
        arguments += ["-p", "root=%d" % random_.randrange(4)]
    for setting in random_.sample(settings, 2):
        arguments += ["--set", setting]
    try:
        rows = run(benches.get(kind, kind), *arguments)
    except AssertionError as refused:
        if " works among " in str(refused):  # an algorithm that does not serve so many
            continue
        raise
    for row in rows:
        assert 0 < row["bound_ps"] <= row["time_ps"], (arguments, row)
        reached.add((kind, row["cut"]))
assert len(reached) > 12, reached  # each kind meets several cuts
EOF
