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

# What hangs: told as by a run that stands still, which is warned of it first; delays change nothing.
cat >floods.c <<'END'
#include <kbsim/bench.h>

typedef struct arguments {
    tl_view x, y;
} arguments;

static void flood(tl_kernel *k) {
    const arguments *a = k->args;
    const uint32_t next = (k->rank + 1) % k->ranks, before = (k->rank + k->ranks - 1) % k->ranks;
    for (int i = 0; i < 6; i++)
        tl_send(k, tl_queue_to(k, next), a->x);
    for (int i = 0; i < 6; i++) {
        tl_copy(k, a->y, tl_recv(k, tl_queue_from(k, before)));
        tl_release(k, tl_queue_from(k, before));
    }
}

static void program(kb_host *h, void *context) {
    (void)context;
    arguments a = {.x = kb_ints(h, "x", KB_SPACE_TCM, KB_DTYPE_F16, -8, 8, 100),
                   .y = kb_zeros(h, "y", KB_SPACE_TCM, KB_DTYPE_F16, 100)};
    kb_launch(h, flood, &a, sizeof a);
}

KB_BENCH(.name = "floods", .help = "", .host = program);
END
is 1 '' "$sim" lint ./floods.c --ranks 3
sed 1d out >told
grep -q 'rank 0 (sip0.cube0.pe0): ipcq_copy (floods.c:11) waits for a credit of queue pe0>pe1' told ||
    fail 'a circle'
is 1 'warning: this program hangs: 3 ops wait in a circle' "$sim" run ./floods.c --ranks 3 -o hang.zst \
    --set fault.sip0.cube0.pe1.delay_ns=90us
sed -n 's/^  //p' err | sed 's/ #[0-9]*//g' | cmp - told || fail 'another standstill'
is 1 '' "$sim" lint ./floods.c --ranks 3 --json
python3 - <<'END' || failed=1
import json
found = json.load(open("out"))
assert found["verdict"] == "hangs" and found["parts"] == 1 and found["behind"] == 0, found
assert [(w["place"], w["rank"], w["awaits"], w["slot"]) for w in found["waiting"]] == [
    ("circle", rank, "credit", 0) for rank in range(3)], found
assert found["remedy"] == {"slots": 6, "queues": [{"queue": "pe1>pe2", "slots": 6, "given": 4}],
                           "smallest": True}, found
assert [(f["check"], f["severity"]) for f in found["findings"]] == [("deadlock", "error")], found
END
is 0 '' "$sim" lint ./floods.c --ranks 3 --set 'ipcq.slots_of.pe1>pe2=6' -q
is 0 '' "$sim" run ./floods.c --ranks 3 --set 'ipcq.slots_of.pe1>pe2=6' -q -o free.zst
is 1 '' "$sim" lint ./floods.c --ranks 3 --set 'ipcq.slots_of.pe1>pe2=5' -q

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
