#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Configuration: what wins over what, where values come from, the topologies that are installed, ccl files.
sim="$KB_BIN/kb-sim"
failed=0

fail() {
    echo "$1"
    failed=1
}

# value PATH VALUE ORIGIN OPTIONS...: what explain-config --json says of the parameter.
value() {
    path=$1 wanted="$2 $3"
    shift 3
    "$sim" explain-config --json "$@" >out || failed=1
    found=$(python3 -c '
import json, sys
row = next(row for row in json.load(open("out"))["params"] if row["path"] == sys.argv[1])
place = row["from"] if "line" not in row else "%s:%d:%d" % (row["from"], row["line"], row["column"])
print(row["value"], row["origin"], place)' "$path")
    [ "$found" = "$wanted" ] || fail "$path is '$found', wanted '$wanted', with $*"
}

# setting NAME PATH VALUE ORIGIN: what the trace says, exported.
setting() {
    grep "\"path\":\"$2\"" "$1.jsonl" | grep "\"value\":\"$3\"" | grep -q "\"origin\":\"$4\"" ||
        fail "$2 is not $3 by $4 in the trace: $(grep "\"path\":\"$2\"" "$1.jsonl")"
}

# Precedence: default, topology, --machine, ccl, --set; the last of two --set.
printf '# a machine\nipcq:\n  slots: 5\ncube.pes: 6\n' >top.yaml
printf 'ipcq.slots: 7\n' >ccl.yaml
value ipcq.slots 4 'default None'
value ipcq.slots 5 'topology top.yaml:3:3' --topology top.yaml
value ipcq.slots 7 'ccl ccl.yaml:1:1' --topology top.yaml --ccl ccl.yaml
value ipcq.slots 7 'ccl ccl.yaml:1:1' --ccl ./ccl.yaml --topology top.yaml
value ipcq.slots 9 'set --set' --set ipcq.slots=8 --ccl ccl.yaml --topology top.yaml --set ipcq.slots=9
value cube.pes 6 'topology top.yaml:4:1' --topology top.yaml --machine cubes=2
value cube.pes 3 'topology --machine' --machine pes=3 --topology top.yaml
value dma.setup_ns 0.5 'set --set' --set dma.setup_ns=500ps

# -p comes last, and the trace says who set what, and names no file.
"$sim" run allreduce --topology top.yaml --ccl ccl.yaml --set ipcq.slots=8 -p slots=3 --ranks 4 -q -o p.zst &&
    "$KB_BIN/kb-export" p.zst --to jsonl -o p.jsonl || failed=1
setting p ipcq.slots 3 param
setting p cube.pes 6 topology
! grep -q 'top\.yaml' p.jsonl || fail 'the trace names a file'

# A ccl file gives parameters of the bench; -p wins over it.
printf 'collective:\n  algo: tree\n  dtype: bf16\nipcq.slots: 2\n' >tree.yaml
"$sim" run allreduce --ccl tree.yaml -p dtype=f32 --ranks 4 -q -o c.zst &&
    "$KB_BIN/kb-export" c.zst --to jsonl -o c.jsonl || failed=1
setting c program.algo tree ccl
setting c program.dtype f32 param
setting c ipcq.slots 2 ccl

# Single rings: their sizes win over all that is said of every ring, and are read back as they were printed.
printf 'ipcq:\n  slots_of:\n    pe0>pe1: 8\n' >rings.yaml
"$sim" run allreduce --ccl rings.yaml --set 'ipcq.slots_of.pe1>pe2=2' --set 'ipcq.slots_of.pe7>pe8=2' \
    -p slots=3 --ranks 4 -q -o r.zst 2>err && "$KB_BIN/kb-export" r.zst --to jsonl -o r.jsonl || failed=1
setting r 'ipcq.slots_of.pe0>pe1' 8 ccl
setting r 'ipcq.slots_of.pe1>pe2' 2 set
for ring in 'pe0>pe1:8' 'pe1>pe2:2' 'pe2>pe3:3'; do
    grep '"type":"queue"' r.jsonl | grep "\"name\":\"${ring%:*}\"" | grep -q "\"slots\":${ring#*:}\b" ||
        fail "the ring of $ring"
done
grep -q 'warning: ipcq.slots_of.pe7>pe8 is not used: this program has no such queue' err ||
    fail 'no such queue'
"$sim" explain-config --format yaml --topology rings.yaml --set 'ipcq.slots_of.pe1>pe2.3=2' >rings2.yaml &&
    "$sim" explain-config --format yaml --topology rings2.yaml | cmp -s - rings2.yaml || fail 'rings in YAML'
"$sim" explain-config --json --topology rings2.yaml | python3 -c '
import json, sys
rows = json.load(sys.stdin)["rings"]
assert [(r["path"], r["value"]) for r in rows] == [
    ("ipcq.slots_of.pe0>pe1", "8"), ("ipcq.slots_of.pe1>pe2.3", "2")], rows' || fail 'rings in JSON'

# Every topology that is installed runs, is listed with its shape, and is printed as it is.
"$sim" list topologies --json >list.json || failed=1
names=$(python3 -c 'import json; print(*[row["name"] for row in json.load(open("list.json"))["topologies"]])')
for name in $names; do
    "$sim" run allreduce --topology "$name" --ranks 4 -q -o "$name.zst" 2>/dev/null &&
        "$KB_BIN/kb-replay" "$name.zst" --verify -q || fail "$name does not run"
    "$sim" explain-config --topology "$name" --format yaml >one.yaml &&
        "$sim" explain-config --topology one.yaml --format yaml | cmp - one.yaml ||
        fail "$name is not printed as it is"
done
for name in default kernbench sips32 tiny; do
    grep -q "\"name\":\"$name\"" list.json || fail "$name is not listed"
done
"$sim" list topologies | grep -q '^  sips32  *8x4 packages of 4x4 cubes of 8 PEs, 4096 in all: ' ||
    fail 'sips32 has another shape'

# What is printed is aligned, and what was set stands out.
"$sim" explain-config --topology top.yaml | awk '
    NR == 1 { at = index($0, "from") }
    NR > 1 && substr($0, at - 1, 1) != " " { print "not aligned: " $0; bad = 1 }
    $1 == "ipcq.slots" && substr($0, at, 10) != "top.yaml:3" { print; bad = 1 }
    END { exit bad }' || failed=1
"$sim" explain-config --topology top.yaml --color always >out
grep 'ipcq.slots ' out | grep -q "$(printf '\033\\[1m')" ||
    fail 'what was set does not stand out'
"$sim" explain-config --json --format yaml >out 2>err
[ $? -eq 2 ] && grep -q 'leave --format yaml out' err || fail '--json and --format yaml are taken together'

# From standard input, and from an installed tree.
printf 'ipcq.slots: 6\n' | "$sim" explain-config --topology - | grep -q '^ipcq.slots  *6 ' ||
    fail 'standard input is not read'
mkdir -p prefix/bin prefix/share/kb/topologies && cp "$sim" prefix/bin/ &&
    printf 'help: mine\ncube.pes: 2\n' >prefix/share/kb/topologies/mine.yaml || failed=1
prefix/bin/kb-sim list topologies | grep -q '^  mine .*: mine$' ||
    fail 'an installed tool does not find its topologies'
rm -r prefix/share
prefix/bin/kb-sim explain-config --topology mine 2>err
[ $? -eq 2 ] && grep -q 'topologies' err || fail 'a missing folder of topologies is not told'
prefix/bin/kb-sim run allreduce --ranks 2 -q -o x.zst || fail 'without its share files kb-sim does not run'
exit $failed
