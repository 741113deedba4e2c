#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One machine by any road is one machine: a file, nested or dotted, an include, --machine and --set, -p, and
# what explain-config printed give the same digest of the configuration, the same run, the same records.
sim="$KB_BIN/kb-sim"
failed=0

# same NAME BENCH-AND-OPTIONS...: its digests, identity and records are those of the first that came.
same() {
    name=$1
    shift
    "$sim" run "$@" --ranks 6 -p elems=3000 --json -o "$name.zst" >"$name.json" || failed=1
    "$KB_BIN/kb-export" "$name.zst" --to jsonl -o "$name.jsonl" || failed=1
    { head -n 1 "$name.jsonl"; grep -o '"record_digest":"[^"]*"' "$name.json"; } >"$name.digests"
    grep '"type":"op"' "$name.jsonl" >"$name.ops"
    [ -e first.digests ] || cp "$name.digests" first.digests
    [ -e first.ops ] || cp "$name.ops" first.ops
    cmp "$name.digests" first.digests && cmp "$name.ops" first.ops || { cat "$name.digests"; failed=1; }
}

cat >nested.yaml <<'END'
sip: {cubes: 2x1}
cube:
  pes: 4
ipcq:
  slots: 8
  slot_bytes: 2KiB
  credit_path: vc
dma: {setup_ns: 2us}
noc.link_gbps: 0.2 TB/s
END
cat >dotted.yaml <<'END'
noc.link_gbps: 200
dma.setup_ns: 2000
ipcq.credit_path: "vc"
ipcq.slot_bytes: 2048
ipcq.slots: 8 slots
cube.pes: 4
sip.cubes: 2
END
printf 'ipcq: {slot_bytes: 2KiB, slots: 8}\n' >queues.yaml
printf 'ipcq: {slots: 1, slot_bytes: 1, credit_path: vc}\ndma.setup_ns: 1\n' >base.yaml
printf 'cube.pes: 4\nsip.cubes: 2x1\ninclude: [base.yaml, queues.yaml]\n' >main.yaml
printf 'dma.setup_ns: 2us\nnoc.link_gbps: 200\n' >>main.yaml
shape='--machine cubes=2,pes=4' wires='--set noc.link_gbps=200000MB/s --set dma.setup_ns=0.002ms'

same nested allreduce --topology nested.yaml
same dotted allreduce --topology dotted.yaml
same include allreduce --topology main.yaml
same options allreduce $shape $wires --set ipcq.slots=8 --set ipcq.slot_bytes=2KiB --set ipcq.credit_path=vc
same ccl allreduce $shape --ccl queues.yaml $wires --set ipcq.credit_path=vc
same param allreduce --topology base.yaml $shape $wires -p slots=8 -p slot_bytes=2KiB
"$sim" explain-config --topology main.yaml --format yaml >printed.yaml || failed=1
same printed allreduce --topology printed.yaml
"$sim" explain-config --topology printed.yaml --format yaml | cmp - printed.yaml || failed=1
exit $failed
