#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Users' code that crashes, exits, never returns or records without end, in a kernel, an algorithm, a host
# program or while it is loaded: who it was, where it was, exit status 2, and no trace.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"
. "$KB_ROOT/tests/support/own.sh"

# algorithm STATEMENTS: of rank 2, in line 13, behind its commands.
algorithm() {
    cat >bad.c <<END_OF_FILE
#include <stdlib.h>
#include <kbsim/coll.h>
volatile int zero;
int deeper(volatile int *at) {
    volatile int more[1000];
    more[0] = *at;
    return *at == 77 ? 0 : deeper(more) + more[0];
}
static void bad(kb_coll *c) {
    tl_copy(c, c->buffer, c->buffer);
    tl_fence(c);
    if (c->rank == 2) {
        $1
    }
}
KB_ALGORITHM(ALL_REDUCE, .name = "bad", .help = "is bad", .record = bad);
END_OF_FILE
}

# bench STATEMENTS HOST-STATEMENTS: of the kernel and of the host program.
bench() {
    cat >bench.c <<END_OF_FILE
#include <stdlib.h>
#include <kbsim/bench.h>
static void kernel(tl_kernel *k) {
    $1
    tl_fence(k);
}
static void program(kb_host *h, void *context) {
    kb_launch(h, kernel, NULL, 0);
    $2
}
KB_BENCH(.name = "bench", .help = "is bad", .host = program);
END_OF_FILE
}

# ends WORDS OPTION...: the run with the algorithm, or the bench if there is one.
ends() {
    words=$1
    shift
    what=allreduce
    [ ! -e bench.c ] || what=./bench.c
    param=
    [ -e bench.c ] || param=algo=./bad.c
    is 2 "$words" "$sim" run $what --ranks 4 ${param:+-p} $param -q -o run.zst "$@"
    [ ! -e run.zst ] || fail "$words: there is a trace"
}

algorithm '*(volatile int *)0 = 1;'
ends 'bad.c:11: algorithm bad, rank 2: it crashed after the command of this line (SIGSEGV: it used memory'
algorithm 'zero = 7 / zero;'
ends 'bad.c:11: algorithm bad, rank 2: it crashed after the command of this line (SIGFPE: it divided'
algorithm 'abort();'
ends 'bad.c:11: algorithm bad, rank 2: it crashed after the command of this line (SIGABRT: it called abort()'
algorithm 'exit(0);'
ends 'bad.c:11: algorithm bad, rank 2: it called exit() after the command of this line'
algorithm 'quick_exit(0);'
ends 'bad.c:11: algorithm bad, rank 2: it called exit() after the command of this line'
case $KB_SANITIZE in
*undefined*) ;; # which ends the tool by itself, in the library that was called so
*)
    algorithm 'tl_step_at(NULL, "x", 0);'
    ends 'bad.c:11: algorithm bad, rank 2: it crashed after the command of this line (SIGSEGV'
    algorithm 'c->stream = (tl_stream *)16; tl_fence(c);'
    ends 'bad.c:11: algorithm bad, rank 2: it crashed after the command of this line (SIG'
    ;;
esac
case $KB_SANITIZE in
*address*) ;; # its stack is another one
*)
    algorithm 'zero = deeper(&zero);'
    ends 'bad.c:11: algorithm bad, rank 2: it crashed after the command of this line (SIGSEGV: its stack is'
    ;;
esac
case $KB_SANITIZE in
*thread*) ;; # which holds signals back while a program calls nothing
*)
    algorithm 'for (;;) zero = 1;'
    ends 'bad.c:11: algorithm bad, rank 2: it has recorded nothing for 0.5s after the command of this line' \
        --record-timeout 0.5s
    "$sim" run allreduce --ranks 4 -p algo=./bad.c -q -o run.zst 2>err &
    sleep 1 # on a machine that is busy it may still compile then, and stops before the first rank
    kill -TERM $!
    wait $!
    [ $? -eq 1 ] && grep -q 'interrupted while it recorded; no trace\|stopped while recording rank 0' err ||
        fail "an interrupt is not told: $(cat err)"
    algorithm 'for (;;) tl_fence(c);'
    ends 'more than 1000000 commands of one stream: does a loop record without end?' --record-commands 1M
    grep -q 'recording kernel bad, rank 2 (.*), at bad.c:13; and it goes on, and does not return' err ||
        fail 'who records without end is not told'
    algorithm 'for (;;) tl_recv(c, tl_queue_from(c, 1));'
    ends 'algorithm bad, rank 2: it records more than --record-memory allows (2 MiB), and does not return' \
        --record-memory 2Mi
    algorithm 'tl_release(c, tl_queue_from(c, 1)); for (;;) tl_fence(c);'
    ends 'and it goes on, and does not return'
    ;;
esac
algorithm 'for (int i = 0; i < 100000; i++) tl_recv(c, tl_queue_from(c, 1));'
ends 'recording more than --record-memory allows (does a loop record without end?)' --record-memory 2Mi
algorithm 'for (int i = 0; i < 1000000; i++) tl_fence(c);'
ends 'more than 500000 commands of one stream' --record-commands 500K

# While it is loaded. What it was compiled to is gone, too.
mkdir objects
TMPDIR=$PWD/objects
export TMPDIR
echo '#include <stdlib.h>
__attribute__((constructor)) static void f(void) { abort(); }' >bad.c
ends 'bad.c: it crashed while it was loaded (SIGABRT'
echo '#include <stdlib.h>
__attribute__((constructor)) static void f(void) { exit(0); }' >bad.c
ends 'bad.c: it called exit() while it was loaded'
echo '__attribute__((constructor)) static void f(void) { for (volatile int i = 0; i < 1;) {} }' >bad.c
ends 'bad.c: it has recorded nothing for 500ms while it was loaded' --record-timeout 500ms
[ -z "$(ls objects)" ] || fail "objects stay: $(ls objects)"
unset TMPDIR
echo '#include <stdlib.h>
__attribute__((constructor)) static void f(void) { exit(0); }' >bad.c
cp bad.c off.c && object off &&
    is 2 'off.so: it called exit() while it was loaded' "$sim" run ./off.so -o run.zst

# When all else is over there is a trace already.
algorithm ''
echo '__attribute__((destructor)) static void end(void) { abort(); }' >>bad.c
is 2 'bad.c: it crashed while it was unloaded, after all else (SIGABRT' "$sim" run allreduce --ranks 4 \
    -p algo=./bad.c -q -o run.zst
rm run.zst

# Kernels and host programs.
bench '*(volatile int *)0 = 1;' ''
ends 'kernel kernel, rank 0: it crashed before its first command (SIGSEGV'
bench '' 'abort();'
ends 'bench.c:8: host program bench, rank 0: it crashed after the command of this line (SIGABRT'
bench 'exit(3);' ''
ends 'kernel kernel, rank 0: it called exit() before its first command'

# So it is without a run.
is 2 'kernel kernel, rank 0: it called exit() before its first command' "$sim" lint ./bench.c

# The limits.
rm bench.c
algorithm ''
is 2 "--record-timeout: 'soon' is not a time above 0 with its unit" "$sim" run allreduce -p algo=./bad.c \
    --record-timeout soon -o run.zst
is 2 'record-memory' "$sim" run allreduce -p algo=./bad.c --record-memory 1 -o run.zst
sleeps='struct { long s, ns; } t = {0, 300000000}; extern int nanosleep(); while (nanosleep(&t, &t) != 0);'
algorithm "$sleeps"
is 0 '' "$sim" run allreduce --ranks 4 -p elems=0 -p algo=./bad.c --record-timeout 0 -q -o run.zst
exit $failed
