#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-sim lint as a command: verdicts, warnings, --json, exit status; the same warnings before a run.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"

is 0 '' "$sim" lint allreduce --ranks 8 -p elems=1000
grep -q '^free  *it comes to its end, whatever time does (8 ranks, 8 queues, [0-9]* commands)$' out &&
    [ "$(wc -l <out)" -eq 1 ] || fail 'what is free'
is 0 '' "$sim" lint allreduce --ranks 8 -q
[ ! -s out ] && [ ! -s err ] || fail '-q'

# A warning is a finding, and leaves the verdict alone; a run says the same, and counts it.
is 0 '' "$sim" lint allreduce -p bytes=1MiB --ranks 64 -p slots=2
grep -q '^warning  *rings: in [0-9]* of 64 queues the ring is smaller than bandwidth x round trip' out ||
    fail 'rings'
said=$(sed -n 's/^warning  *rings: //p' out)
is 0 "kb-sim: warning: $said" "$sim" run allreduce -p bytes=1MiB --ranks 64 -p slots=2 -o run.zst
grep -q '^warnings  *1, above' out || fail 'a run warns otherwise'
is 0 '' "$sim" lint allreduce -p bytes=1MiB --ranks 64 -p slots=2 --json
python3 - "$said" <<'END' || failed=1
import json, sys
found = json.load(open("out"))
assert found["version"] == 1 and found["verdict"] == "free" and found["ranks"] == 64, found
assert found["queues"] == 64 and found["commands"] > 1000 and found["warnings"] == [], found
assert found["findings"] == [{"check": "rings", "severity": "warning", "message": sys.argv[1]}], found
END

# A program that cannot be recorded is not free; a wrong word on the command line is trouble.
is 1 '' "$sim" lint allreduce --ranks 40 -p algo=direct
grep -q '^mistaken  *it cannot be recorded' out && grep -q '^error  *program: .*ipcq.max_queues' out ||
    fail 'a refusal'
is 1 '' "$sim" lint allreduce --ranks 40 -p algo=direct --json
python3 -c '
import json
found = json.load(open("out"))
assert found["verdict"] == "mistaken" and found["findings"][0]["check"] == "program", found
assert found["findings"][0]["severity"] == "error" and "waiting" not in found, found' || failed=1
is 2 "did you mean 'allreduce'?" "$sim" lint allreduc
is 2 "did you mean 'algo'?" "$sim" lint allreduce -p alg=ring
is 2 "--ranks" "$sim" lint allreduce --ranks 0
is 2 "BENCH" "$sim" lint
is 2 "-o" "$sim" lint allreduce -o out.zst
exit $failed
