#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-sim probe: its tables, JSON, sizes, exit status; and docs/probe.md, which its own script makes.
sim=$KB_BIN/kb-sim
. "$KB_ROOT/tests/support/is.sh"

"$sim" probe --sizes 1,4Ki --pe 9 >out || failed=1
for line in '^read: its own slice (sip0.cube1.pe1.hbm > sip0.cube1.pe1.tcm)$' \
    '^the PEs of a cube read one slice  *8 ' ' transfers, of which 0 differ from their closed form$'; do
    grep -q "$line" out || { echo "no line like $line"; failed=1; }
done

"$sim" probe --topology kernbench --sizes 1,300,65536 --alone --json >out || failed=1
python3 - out <<'END' || failed=1
import json, sys
report = json.load(open(sys.argv[1], encoding="utf-8"))
assert report["version"] == 1 and report["different"] == 0 and report["at_once"] == [], report
assert {row["bytes"] for row in report["transfers"]} == {0, 1, 300, 65536}
ways = {row["what"] for row in report["transfers"]}
assert ways == {"read", "write", "send", "host read", "host write", "launch", "round trip",
                "barrier"}, ways
for row in report["transfers"]:
    assert row["difference_ps"] == row["time_ps"] - row["form_ps"] == 0, row
    assert abs(row["gbps"] - row["bytes"] * 1000 / row["time_ps"]) < 1e-6, row
END

# Any shape; a PE alone has neither neighbours nor other packages.
"$sim" probe --machine sips=1,cubes=1x1,pes=1 --sizes 1Mi >out || failed=1
grep -q '^send' out && { echo "a PE alone sends"; failed=1; }
"$sim" probe --machine sips=3x2,cubes=2x3,pes=5 --set system.grid=torus_2d --sizes 5000 -q >out || failed=1
[ -s out ] && { echo "-q prints"; failed=1; }

# Slices with banks have no form, but a bandwidth.
"$sim" probe --set hbm.timing=hbm3 --sizes 64Ki >out || failed=1
grep -q '^read: its own slice' out && { echo "a form of banks"; failed=1; }
grep -q '^all PEs read their own slices .* 52428.8 ' out || { echo "no channels with banks"; failed=1; }

# What finds no room is counted.
"$sim" probe --sizes 512Mi --set hbm.slice_bytes=1MiB >out || failed=1
grep -q '; 31 were left out: no room in a memory, or no closed form$' out || { tail -1 out; failed=1; }

is 2 "'0' is no number of bytes from 1 to 1Gi" "$sim" probe --sizes 1,0
is 2 "'' is no number of bytes" "$sim" probe --sizes 1,,2
is 2 "'9Gi' is no number of bytes" "$sim" probe --sizes 9Gi
is 2 "there is no PE 256: this machine has 256" "$sim" probe --pe 256
is 2 "the closed forms know no faults" "$sim" probe --set fault.sip0.cube0.pe0.math=2
is 2 "is out of range" "$sim" probe --set noc.link_gbps=0

python3 -B "$KB_ROOT/tests/cli/probe_page.py" "$sim" "$KB_ROOT" || failed=1
exit $failed
