#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Algorithms of users' own: as C files and as shared objects; what the trace says of them; what is wrong with
# one is told in clear words, and leaves neither a trace nor a folder behind.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"
. "$KB_ROOT/tests/support/own.sh"

# run FILE OPTION...: an all-reduce by it.
run() {
    "$sim" run allreduce --ranks 4 -p algo="$@" -q -o run.zst
}

# spoil NAME SED-PROGRAM: the example, changed.
spoil() {
    sed "$2" around.c >"$1.c"
    ! cmp -s around.c "$1.c" || fail "$1: the example has no such place"
}

cp "$KB_ROOT/examples/collective/around.c" .

# By either way it records the same, but for the file's name and digest; and so from another folder.
run ./around.c --seed 3 && "$KB_BIN/kb-replay" run.zst --verify -q || fail 'a C file does not verify'
ops_of run.zst >by_source
sources_of run.zst >first && grep -qx 'around.c@[0-9a-f]\{32\}' first || fail "sources are $(cat first)"
object around && run around.so --seed 3 || fail 'a shared object cannot be run'
ops_of run.zst | cmp - by_source || fail 'a C file and a shared object do not record the same'
sources_of run.zst | grep -q '^around.so@[0-9a-f]\{32\}$' || fail "sources are $(sources_of run.zst)"
mkdir -p far/off && cp around.c far/off/ && run "$PWD/far/../far/off/around.c" --seed 3 || failed=1
ops_of run.zst | cmp - by_source || fail 'a C file far off does not record the same'
cp run.zst far.zst && run around.c --seed 3 && cmp run.zst far.zst || fail 'a trace names a path'
for unwanted in "$PWD" far/off kb-sim- plugin.so; do
    "$KB_BIN/kb-export" far.zst --to jsonl -o - | grep -qF -- "$unwanted" && fail "a trace holds $unwanted"
done
printf 'collective: {algo: far/off/around.c}\n' >own.yaml
(mkdir -p else && cd else && "$sim" run allreduce --ranks 4 --seed 3 --ccl ../own.yaml -q -o ../run.zst) ||
    failed=1
ops_of run.zst | cmp - by_source || fail 'an algorithm beside the file that names it is not found'

sources_of run.zst | cmp - first || fail 'a file has two digests'
echo >>far/off/around.c && run ./far/off/around.c --seed 3 && sources_of run.zst >second
! cmp -s first second || fail 'two files have one digest'

"$sim" lint allreduce --ranks 4 -p algo=./around.c >out && grep -q '^free ' out || fail 'lint takes no C file'

# What is wrong.
rm -f run.zst
is 2 "around.c is an algorithm for all_reduce, and no bench: a bench takes it by -p algo=./around.c" \
    "$sim" run ./around.c -o run.zst
spoil kind 's/KB_ALGORITHM(ALL_REDUCE/KB_ALGORITHM(BROADCAST/'
is 2 './kind.c is an algorithm for broadcast, and none for all_reduce' run ./kind.c
printf '#include <kbsim/coll.h>\n' >none.c
is 2 './none.c exports no algorithm: KB_ALGORITHM of kbsim/coll.h does' run ./none.c
is 2 "scaled_sum.c is a bench, and no algorithm" run "$KB_ROOT/examples/bench/scaled_sum.c"
spoil name 's/\.name = "around"/.name = "a round"/'
is 2 './name.c: its algorithm has no .help, or no .name of up to' run ./name.c
spoil record 's/\.record = around/.record = NULL/'
is 2 './record.c: its algorithm for all_reduce has no .record' run ./record.c
sed 's/#include <kbsim\/coll.h>/&\n#undef KB_PLUGIN_ABI\n#define KB_PLUGIN_ABI 99/' around.c >abi.c
is 2 './abi.c is made for version 99 of the interface (kbsim/abi.h), and this kb-sim has version' run ./abi.c
sed 's/KB_ALGORITHM(ALL_REDUCE, /&.size_bytes = 8, /' around.c >size.c
is 2 './size.c: what it exports has 8 bytes instead of' run ./size.c
object abi && is 2 './abi.so is made for version 99 of the interface' run ./abi.so
is 2 './nothing.c: No such file or directory' run ./nothing.c
is 2 './nothing.so: No such file or directory' run nothing.so
is 2 './far is no file: a plugin is a shared object' run ./far
: >empty.so
is 2 './empty.so is empty: a plugin is a shared object' run ./empty.so
cp around.c text.so
is 2 './text.so is no shared object (cc -shared -fPIC makes one)' run ./text.so
head -c 100 around.so >short.so
is 2 './short.so is no whole shared object' run ./short.so
head -c 5000 around.so >torn.so
is 2 './torn.so is no whole shared object' run ./torn.so
echo 'int main(void) { return 0; }' >tool.c && ${CC:-cc} -fPIE -pie -o tool.so tool.c
is 2 'cannot load a plugin: ' run ./tool.so
printf '#include <kbsim/coll.h>\n#include <nowhere/at_all.h>\n' >missing.c
is 2 'missing.c:2:10: fatal error: ' run ./missing.c
is 2 './missing.c cannot be compiled: what is wrong stands above' run ./missing.c
sed 's/tl_release(c, from);/tl_relaese(c, from);/' around.c >typo.c
is 2 'typo.c:' run ./typo.c
grep -q 'tl_relaese' err || fail 'a function that there is none of is not told'
echo 'void absent(void); __attribute__((constructor)) static void f(void) { absent(); }' >undefined.c
is 2 'undefined symbol: absent' run ./undefined.c

# The compiler.
is 2 "there is no compiler 'no-such-cc' to compile ./around.c with: set CC" env CC=no-such-cc "$sim" run \
    allreduce -p algo=./around.c -o run.zst
is 2 "there is no compiler 'cc' to compile ./around.c with: set CC" env -u CC PATH=/nowhere "$sim" run \
    allreduce -p algo=./around.c -o run.zst
echo 'kill -9 $$' >killed.sh
is 2 "the compiler 'sh' was ended by signal 9" env CC="sh killed.sh" "$sim" run allreduce -p algo=./around.c \
    -o run.zst
is 2 'cannot make a folder in /nowhere/at/all' env TMPDIR=/nowhere/at/all "$sim" run allreduce \
    -p algo=./around.c -o run.zst
[ ! -e run.zst ] || fail 'a failure left a trace'
mkdir -p scratch
is 0 '' env TMPDIR="$PWD/scratch" CC="${CC:-cc} -DKB_TRIED" "$sim" run allreduce --ranks 2 \
    -p algo=./around.c -q -o run.zst
is 2 'missing.c' env TMPDIR="$PWD/scratch" "$sim" run allreduce --ranks 2 -p algo=./missing.c -q -o run.zst
rmdir scratch || fail 'a folder of the compiler was left behind'
exit $failed
