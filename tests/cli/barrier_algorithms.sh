#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Algorithms for barriers: who leaves has heard of everybody, or kb-replay tells whom it has not heard of.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"

for ranks in 1 2 5 8; do
    "$sim" run barrier --ranks $ranks --verify -o run.zst >out || fail "dissemination among $ranks"
    grep -q '^not checked' out && fail "a barrier of $ranks is not checked"
done

# algorithm NAME: its body on stdin, with `word`, which is sent, and tell(to), hear(from).
algorithm() {
    { cat <<'END'
#include "kbsim/coll.h"
static tl_view word;
static void tell(kb_coll *c, uint32_t to) { tl_send(c, tl_queue_to(c, to), word); }
static void hear(kb_coll *c, uint32_t from) {
    tl_view in = tl_recv(c, tl_queue_from(c, from));
    tl_copy(c, word, in);
    tl_release(c, tl_queue_from(c, from));
}
static void record(kb_coll *c) {
    word = tl_scratch(c, KB_DTYPE_I8, 1);
    tl_fill(c, word, 1);
END
        cat
        printf '}\nKB_ALGORITHM(BARRIER, .name = "%s", .help = "a test", .record = record);\n' "$1"
    } >"$1.c"
}

algorithm rounds <<'END'
    for (uint32_t apart = 1; apart < c->ranks; apart *= 2) {
        tell(c, rank_at(c, apart));
        hear(c, rank_at(c, -(int64_t)apart));
    }
END
# The last of all rounds is left out: with 5 ranks the one 4 places before is not heard of.
sed 's/apart < c->ranks;/2 * apart < c->ranks;/' rounds.c | sed 's/"rounds"/"short"/' >short.c
algorithm centre <<'END'
    for (uint32_t r = 1; r < c->ranks; r++) {
        if (c->rank == 0)
            hear(c, r);
        else if (c->rank == r)
            tell(c, 0);
    }
    for (uint32_t r = 1; r < c->ranks; r++) {
        if (c->rank == 0)
            tell(c, r);
        else if (c->rank == r)
            hear(c, 0);
    }
END
sed 's/uint32_t r = 1; r/uint32_t r = 2; r/; s/"centre"/"forgets"/' centre.c >forgets.c
algorithm nothing </dev/null

for name in rounds centre; do
    "$sim" run barrier --ranks 5 -p algo=./$name.c -o run.zst -q && "$KB_BIN/kb-replay" run.zst --verify -q ||
        fail "$name does not verify"
    "$sim" run barrier --ranks 12 -p group=7,1,4/2,0,11,10 -p algo=./$name.c -o run.zst -q &&
        "$KB_BIN/kb-replay" run.zst --verify -q || fail "$name does not verify in groups"
done
for name in short forgets nothing; do
    "$sim" run barrier --ranks 5 -p algo=./$name.c -o run.zst -q || fail "$name does not run"
    "$KB_BIN/kb-replay" run.zst --verify >out
    [ $? -eq 1 ] && grep -q '^E-ORDER barrier .*coll_end' out &&
        grep -q 'nobody leaves before everybody has come' out || { fail "$name is not found out"; cat out; }
done
grep -q 'has not heard that [a-z0-9.]*pe1 entered it' out || fail "who is missing: $(cat out)"
exit $failed
