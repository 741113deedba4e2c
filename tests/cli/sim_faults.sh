#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Slow-downs and delays of single PEs and links: what they cost to the picosecond, and where a trace says so;
# that they change times only; what is wrong with them.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"

# run NAME OPTIONS...: leaves NAME.zst, NAME.jsonl and NAME.digest, of memory.
run() {
    name=$1
    shift
    "$sim" run allreduce --machine cubes=2,pes=4 --ranks 8 -p elems=4096 "$@" -q -o "$name.zst" &&
        "$KB_BIN/kb-export" "$name.zst" --to jsonl -o "$name.jsonl" &&
        "$KB_BIN/kb-replay" "$name.zst" --verify --json >"$name.json" || fail "$name: does not run or verify"
    grep -o '"digest":"[^"]*"' "$name.json" >"$name.digest"
}

pe=sip0.cube1.pe2 link='sip0.cube0>cube1.ucie3'
run plain
run none --set fault.$pe.math=1 --set "fault.$link.slower=1.0" --set fault.$pe.delay_ns=0
run math --set fault.$pe.math=2.5
run cpu --set fault.$pe.pe_cpu=3
run first --set fault.$pe.delay_ns=10us
run step --set "fault.$pe.delay_ns=10us before all-gather 2"
run label --set "fault.$pe.delay_ns=10us before all-gather"
run link --set "fault.$link.slower=4"
python3 - <<'END' || failed=1
import json, sys
PE = 6  # sip0.cube1.pe2
runs = {}
for name in "plain none math cpu first step label link".split():
    rows = [json.loads(line) for line in open(name + ".jsonl", encoding="utf-8")]
    runs[name] = {"ops": [row for row in rows if row["type"] == "op"],
                  "links": {row["name"]: row for row in rows if row["type"] == "link"}}
bad = 0

def check(holds, what):
    global bad
    if not holds:
        print(what)
        bad = 1

def parts(op, cause):
    return sum(part["ps"] for part in op["why"] if part["cause"] == cause)

def faulty(name):
    return [op for op in runs[name]["ops"] if parts(op, "fault")]

def end(name):
    return max(op["done_ps"] for op in runs[name]["ops"])

def untimed(name):
    gone = ("issue_ps", "start_ps", "sent_ps", "done_ps", "why", "index", "claims")
    rows = [{key: value for key, value in op.items() if key not in gone} for op in runs[name]["ops"]]
    return sorted(json.dumps(row, sort_keys=True) for row in rows)

check(runs["none"]["ops"] == runs["plain"]["ops"], "faults that change nothing change records")
for name in runs:
    check(untimed(name) == untimed("plain"), name + ": a fault changes more than times")
    check(end(name) >= end("plain"), name + ": a fault makes the run shorter")
maths = [op for op in runs["math"]["ops"] if op["kind"] == "math" and op["rank"] == PE]
check(faulty("math") == maths and maths, "math: other ops than the PE's functions pay")
check(all(2 * parts(op, "fault") == 3 * parts(op, "compute") for op in maths), "math: not 2.5 times as long")
paid = faulty("cpu")
check(paid and all(op["rank"] == PE and parts(op, "fault") == 2 * parts(op, "dispatch") for op in paid),
      "pe_cpu: the dispatch is not 3 times as long")
for name, wanted in (("first", None), ("step", ("all-gather", 2)), ("label", ("all-gather", 0))):
    held = faulty(name)
    check(len(held) == 1 and held[0]["rank"] == PE and parts(held[0], "fault") == 10_000_000,
          name + ": not one op is held for 10 us")
    stream = [op for op in runs[name]["ops"] if op["rank"] == PE and parts(op, "dispatch")
              and (wanted is None or (op["step"], op["step_number"]) == wanted)]
    check(held == stream[:1], name + ": another op than the first of the step is held")
    check(end(name) >= end("plain") + 9_000_000, name + ": nobody waited for the PE")
links, slow = runs["plain"]["links"], runs["link"]["links"]
for name, row in slow.items():
    times = 4 if name == "sip0.cube0>cube1.ucie3" else 1
    check(times * row["bytes_per_s"] == links[name]["bytes_per_s"], name + ": another bandwidth")
check(end("link") > end("plain"), "link: the slow link is not felt")
sys.exit(bad)
END
for name in none math cpu first step label link; do
    cmp $name.digest plain.digest || fail "$name: a fault changes what is computed"
done

# By any road the same, and printed as it is; a trace names them.
cat >faults.yaml <<'END'
fault:
  sip0.cube1.pe2:
    math: 2.5
    delay_ns: 10us before all-gather 2
  "sip0.cube0>cube1.ucie3": {slower: 4}
fault.sip0.cube0: {pe1.gemm: 1.5}
END
run file --topology faults.yaml
run options --set "fault.$link.slower=4" --set "fault.$pe.delay_ns=0.01 ms before all-gather 2" \
    --set fault.sip0.cube0.pe1.gemm=1.5 --set fault.$pe.math=7 --set fault.$pe.math=2.5
grep '"type":"op"' file.jsonl >file.ops
grep '"type":"op"' options.jsonl >options.ops
cmp file.ops options.ops || fail 'another run from the file'
[ "$(head -n 1 file.jsonl)" = "$(head -n 1 options.jsonl)" ] || fail 'another configuration from the file'
[ "$(head -n 1 file.jsonl)" != "$(head -n 1 plain.jsonl)" ] ||
    fail 'the configuration does not know of faults'
grep '"path":"fault.sip0.cube1.pe2.delay_ns"' file.jsonl |
    grep -q '"value":"10000 before all-gather 2"' ||
    fail 'the trace does not name the delay'
"$sim" explain-config --topology faults.yaml --format yaml >printed.yaml || failed=1
"$sim" explain-config --topology printed.yaml --format yaml | cmp - printed.yaml || failed=1
"$sim" explain-config --topology faults.yaml |
    grep -q '^fault.sip0.cube1.pe2.math  *2.5  times  *none  faults.yaml:3 ' ||
    fail 'explain-config does not show them'

# What is wrong.
bad() {
    is 2 "$2" "$sim" explain-config --set "fault.$1"
}
bad sip0.cube1.pe2.mth=2 "there is no 'mth' (did you mean 'math'?)"
bad sip0.cube1.pe2.colour=2 "there is no 'colour' (a link has slower, a PE gemm, math, pe_cpu, delay_ns)"
bad math=2 'fault.math is not fault.TARGET.WHAT'
bad sip0.cube1.pe8.math=2 'fault.sip0.cube1.pe8.math: this machine has no PE of that name'
bad sip2.cube1.pe0.math=2 'this machine has no PE of that name'
bad sip0.cube99999999999999999999.pe0.math=2 'this machine has no PE of that name'
bad sip0.cube01.pe0.math=2 'this machine has no PE of that name'
bad sip0.cube1.pe0.x.math=2 'this machine has no PE of that name'
bad sip0.cube1.pe2.math=0.5 'fault.sip0.cube1.pe2.math: 0.5 is out of range (1 to 1000000 times)'
bad sip0.cube1.pe2.math=2ns "'2ns' is no number of times"
bad sip0.cube1.pe2.delay_ns=2GB "'2GB' is no number of ns"
bad 'sip0.cube1.pe2.delay_ns=2us before ' 'names no step'
bad 'sip0.cube1.pe2.delay_ns=2us after x' 'is no number of ns'
printf 'fault:\n  sip0.cube0.pe9: {math: 2}\n' >bad.yaml
is 2 'bad.yaml:2:20: fault.sip0.cube0.pe9.math: this machine has no PE' \
    "$sim" explain-config --topology bad.yaml
printf 'fault:\n  sip0.cube0.pe1: [math]\n' >bad.yaml
is 2 'bad.yaml:2:19: fault.sip0.cube0.pe1 takes names of PEs or links' \
    "$sim" explain-config --topology bad.yaml
printf 'fault:\n  sip0.cube0.pe1: {math: 2}\nfault.sip0.cube0.pe1.math: 3\n' >bad.yaml
is 2 'bad.yaml:3:1: fault.sip0.cube0.pe1.math is set a second time in this file (first in line 2)' \
    "$sim" explain-config --topology bad.yaml
i=0
while [ $i -lt 65 ]; do
    echo "fault.link$i.slower: 2"
    i=$((i + 1))
done >bad.yaml
is 2 'bad.yaml:65:22: fault.link64.slower: a machine has at most 64 faults' \
    "$sim" explain-config --topology bad.yaml
is 0 "fault.sip0.cube1.pe2.math: that PE takes no part in this run" \
    "$sim" run allreduce --ranks 2 --set fault.sip0.cube1.pe2.math=2 -q -o x.zst
is 0 "no data of this run goes over such a link (did you mean 'sip0.cube0.pe1>noc'?)" \
    "$sim" run allreduce --ranks 2 --set 'fault.sip0.cube0.pe1>nok.slower=2' -q -o x.zst
exit $failed
