#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Benches of users' own, kernels and host program, as C files and as shared objects: their parameters, what
# the trace says of them, and what is wrong with one.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"
. "$KB_ROOT/tests/support/own.sh"

run() {
    bench=$1
    shift
    "$sim" run "$bench" --ranks 4 -q -o run.zst "$@"
}

# spoil NAME SED-PROGRAM: the example, changed.
spoil() {
    sed "$2" scaled_sum.c >"$1.c"
    ! cmp -s scaled_sum.c "$1.c" || fail "$1: the example has no such place"
}

# setting PATH: its value and origin in the trace.
setting() {
    "$KB_BIN/kb-export" run.zst --to jsonl -o - | grep "\"path\":\"$1\"" |
        sed 's/.*"value":"\([^"]*\)","origin":"\([^"]*\)".*/\1 \2/'
}

cp "$KB_ROOT/examples/bench/scaled_sum.c" "$KB_ROOT/examples/collective/around.c" .

run ./scaled_sum.c && "$KB_BIN/kb-replay" run.zst --verify -q || fail 'a C file does not verify'
ops_of run.zst >by_source
object scaled_sum && run scaled_sum.so && ops_of run.zst | cmp - by_source ||
    fail 'a C file and a shared object do not record the same'
cp scaled_sum.so plain && run ./plain && ops_of run.zst | cmp - by_source ||
    fail 'an object without .so is none'

# Parameters: its own, the machine's, an algorithm that is a file, too.
run ./scaled_sum.c -p elems=8Ki -p dtype=f16 -p slots=3 -p algo=./around.c &&
    "$KB_BIN/kb-replay" run.zst --verify -q || fail 'parameters'
for pair in 'program.bench scaled_sum param' 'program.elems 8Ki param' 'program.tile 4096 default' \
    'program.dtype f16 param' 'program.algo around.c param' 'ipcq.slots 3 param'; do
    path=${pair%% *}
    [ "$(setting "$path")" = "${pair#* }" ] || fail "the trace says $path $(setting "$path")"
done
sources_of run.zst | grep -qx 'scaled_sum.c@[0-9a-f]\{32\} around.c@[0-9a-f]\{32\}' || fail 'sources'

# What is wrong with parameters.
rm -f run.zst
is 2 "scaled_sum has no parameter 'elms' (did you mean 'elems'?)" run ./scaled_sum.c -p elms=4
is 2 ": host program scaled_sum, rank 0 (sip0.cube0.pe0): elems=5 are no whole tiles of 4096" \
    run ./scaled_sum.c -p elems=5
is 2 "parameter elems: 'many' is no whole number (4096, 64Ki)" run ./scaled_sum.c -p elems=many
is 2 "parameter scale: 'x' is no number" run ./scaled_sum.c -p scale=x
is 2 "parameter scale: 'inf' is no number" run ./scaled_sum.c -p scale=inf
is 2 "parameter dtype: dtype: 'f17' is not one of f16" run ./scaled_sum.c -p dtype=f17
is 2 "unknown algorithm 'rong' for all_reduce (did you mean 'ring'?)" run ./scaled_sum.c -p algo=rong
spoil unknown 's/kb_param_real(h, "scale")/kb_param_real(h, "factor")/'
is 2 "scaled_sum has no parameter 'factor' in its table" run ./unknown.c

# What is wrong with a bench.
is 2 "around.c is an algorithm for all_reduce, and no bench: a bench takes it by -p algo=./around.c" \
    run ./around.c
printf '#include <kbsim/bench.h>\n' >none.c
is 2 './none.c exports no bench: KB_BENCH of kbsim/bench.h does' run ./none.c
sed 's/#include <kbsim\/bench.h>/&\n#undef KB_PLUGIN_ABI\n#define KB_PLUGIN_ABI 2000/' scaled_sum.c >abi.c
is 2 './abi.c is made for version 2000 of the interface (kbsim/abi.h), and this kb-sim has version' \
    run ./abi.c
spoil size 's/KB_BENCH(/&.size_bytes = 4, /'
is 2 './size.c: what it exports has 4 bytes instead of' run ./size.c
spoil host 's/\.host = program/.host = NULL/'
is 2 './host.c: its bench has no .help, no .host, or no .name' run ./host.c
spoil name 's/"scaled_sum", \.help/"scaled\/sum", .help/'
is 2 './name.c: its bench has no .help, no .host, or no .name' run ./name.c
spoil twice 's/{"tile"/{"elems"/'
is 2 "./twice.c: two parameters of its bench are called 'elems'" run ./twice.c
spoil param 's/{"tile"/{"a tile"/'
is 2 './param.c: parameter 1 of its bench has no proper name, no standard or no help' run ./param.c
spoil path 's/"ipcq\.slots"/"ipcq.plots"/'
is 2 "./path.c: its parameter 'slots' would set ipcq.plots, which no machine has" run ./path.c
spoil table 's/KB_PARAMS(params)/.params = params, .param_count = 1000/'
is 2 './table.c: its bench has more than 32 parameters, or no table of them' run ./table.c
spoil mistake 's/a->tile);$/a->tile + 1);/; s/kb_launch(h, scaled/&/'
is 2 'mistake.c:' run ./mistake.c
[ ! -e run.zst ] || fail 'a failure left a trace'
exit $failed
