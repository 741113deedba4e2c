#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-sim run: traces, summaries, JSON keys, incomplete runs, ^C, verification.
sim="$KB_BIN/kb-sim"
failed=0

wrong() {
    echo "$*"
    failed=1
}

"$sim" run allreduce --ranks 4 -p elems=1000 -o ring.zst >out 2>err || wrong 'a plain run fails'
[ ! -s err ] || wrong "a plain run says on stderr: $(cat err)"
grep -q '^simulated  2\.[0-9]* us (2[0-9]* ps)$' out || wrong "no simulated time: $(cat out)"
grep -q '24 ipcq_copy' out || wrong 'no ops by kind'
zstd -qt ring.zst || wrong 'the trace is no zstd file'

"$sim" run allreduce --ranks 4 -p elems=1000 -o again.zst --quiet --threads 1 >out 2>err ||
    wrong 'a quiet run fails'
[ ! -s out ] && [ ! -s err ] || wrong '-q is not quiet'
cmp ring.zst again.zst || wrong 'two runs differ'

"$sim" run allreduce --ranks 3 -o - >piped.zst 2>err || wrong 'a run into a pipe fails'
"$sim" run allreduce --ranks 3 -o plain.zst -q || wrong 'fails'
cmp piped.zst plain.zst || wrong 'stdout and file differ'
"$sim" run allreduce --ranks 3 -o folder/ -q && [ -e folder/rank-00002.zst ] || wrong 'no file a rank'

"$sim" run allreduce --ranks 4 -p bytes=8KiB -o ring.zst --json -q >out || wrong 'a run with --json fails'
python3 - out <<'END' || wrong '--json lacks what it promises'
import json, sys
said = json.load(open(sys.argv[1]))
assert said["complete"] is True and said["outcome"] == "complete", said
assert said["warnings"] == [] and said["deadlock"] == [] and said["trace"] == "ring.zst", said
assert said["time_ps"] > 2030000 and said["events"] > 0 and said["wall_s"] >= 0, said
assert set(said["phases_s"]) == {"record", "simulate", "finish"}, said
assert said["ops"]["launch"] == 4 and said["ops"]["ipcq_copy"] == 24, said
END

"$sim" run allreduce --ranks 4 -o cut.zst --max-time 2.05us >out 2>err
[ $? -eq 1 ] || wrong '--max-time does not exit 1'
grep -qF 'stopped before its end by --max-time 2.05us: cut.zst ends incomplete' err ||
    wrong "$(cat err)"
zstd -qt cut.zst || wrong 'a stopped run leaves no trace'
"$sim" run allreduce --ranks 4 -o cut.zst --max-time 1ms -q ||
    wrong 'a time that is not reached stops the run'

grep -q '^trace .*), incomplete$' out ||
    wrong "the summary does not say that the trace is incomplete: $(cat out)"
"$sim" run allreduce --ranks 4 -o ring.zst -v 2>/dev/null | grep -q '^phases  *record [0-9.]* s, simulate' ||
    wrong '-v says nothing of phases'

# Places that cannot be written: what, where, why, and status 2.
"$sim" run allreduce --ranks 4 -o /dev/full 2>err
[ $? -eq 2 ] && grep -qF 'cannot write /dev/full at byte 0: No space left on device' err ||
    wrong "a full disk: $(cat err)"
"$sim" run allreduce --ranks 4 -o '' 2>err
[ $? -eq 2 ] && grep -qF "names no file" err && [ ! -e .partial ] || wrong "-o '': $(cat err)"
("$sim" run allreduce -p bytes=256KiB -o - 2>err; echo $? >status) | head -c 10 >/dev/null
[ "$(cat status)" = 2 ] && grep -qF 'Broken pipe' err || wrong "a reader who has gone: $(cat status err)"

# Progress on a terminal only, and none with -q.
cat >terminal.py <<'END'
import os, pty, sys
said = b""
def read(fd):
    global said
    data = os.read(fd, 4096)
    said += data
    return data
pty.spawn(sys.argv[1:], read)
sys.exit(0 if b"of the commands" in said else 1)
END
long='run allreduce -p bytes=1MiB -p slot_bytes=256 --max-time 40us -o long.zst'
python3 terminal.py "$sim" $long </dev/null >/dev/null || wrong 'no progress on a terminal'
python3 terminal.py "$sim" $long -q </dev/null >/dev/null && wrong '-q shows progress'

# ^C once the trace has been begun: it ends incomplete. The run is made long enough to be caught.
mkdir caught
"$sim" run allreduce -p bytes=512KiB -p slot_bytes=64 -o caught/long.zst >out 2>err &
running=$!
tries=0
while [ -z "$(ls caught)" ] && [ $tries -lt 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT $running
wait $running
[ $? -eq 1 ] || wrong '^C does not exit 1'
zstd -qt caught/long.zst || wrong '^C leaves no trace'

# ^C while it records, as soon as it is caught at all: no trace yet, and --json says so.
"$sim" run allreduce -p bytes=4GiB -o caught/none.zst --json >out 2>err &
running=$!
tries=0
until awk '/^SigCgt/ { exit substr($2, length($2)) ~ /[2367abef]/ ? 0 : 1 }' /proc/$running/status ||
    [ $tries -ge 300 ]; do
    sleep 0.1
    tries=$((tries + 1))
done
kill -INT $running
wait $running
[ $? -eq 1 ] || wrong '^C while recording does not exit 1'
python3 - out <<'END' || wrong "^C while recording: --json says $(cat out), and stderr $(cat err)"
import json, sys
said = json.load(open(sys.argv[1]))
assert said["outcome"] == "interrupted" and not said["complete"] and said["trace"] is None
assert all(seconds >= 0 for seconds in said["phases_s"].values())
END

if [ -x "$KB_BIN/kb-replay" ]; then
    for ranks in 1 2 3 5 8 16; do
        "$sim" run allreduce --ranks $ranks -p elems=1000 -o ring.zst -q --verify ||
            wrong "$ranks ranks: not verified"
    done
    for sizes in "--ranks 1 -p elems=0" "--ranks 4 -p elems=0" "--ranks 1 -p elems=1" "--ranks 5 -p elems=1" \
        "--ranks 2 --set host.launch_ns=1000000000" "--ranks 2 --set tcm.read_gbps=0.001" \
        "--ranks 2 --set clock_ghz=0.001 --set math.bytes_per_cycle=1"; do
        "$sim" run allreduce $sizes -o ring.zst -q --verify || wrong "$sizes: not verified"
    done
    "$sim" run allreduce --ranks 3 -o ring.zst --json --verify >out 2>err || wrong '--json --verify fails'
    python3 -m json.tool <out >/dev/null || wrong "--json --verify mixes words into JSON: $(cat out)"
    grep -q '^verified: pass' err || wrong "--json --verify says nothing of the verdict: $(cat err)"
    "$sim" run allreduce --ranks 16 --machine pes=16 -p bytes=200KiB -p op=min -p dtype=i32 -o ring.zst -q \
        --verify ||
        wrong 'long messages in one cube: not verified'
fi
exit $failed
