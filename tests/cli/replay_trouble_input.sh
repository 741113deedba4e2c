#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What kb-replay makes of files that are not of one run, missing, or no traces; and of traces with something
# in them that this build does not know. Nothing is left behind, and --json is JSON or nothing.
set -eu
. "$KB_ROOT/tests/support/fails.sh"
replay=$KB_BIN/kb-replay
for elems in 100 101; do
    "$KB_BIN/kb-sim" run allreduce --ranks 3 -p elems=$elems -q -o $elems.zst
    "$KB_BIN/kb-sim" run allreduce --ranks 3 -p elems=$elems -q -o $elems/
done

# --- which files

fails 2 "both hold the ops of rank 0 (give one of them)" "$replay" 100.zst 100.zst --json
fails 2 "both hold the ops of rank 0" "$replay" 100 100.zst
fails 2 "both hold the ops of rank 1" "$replay" 100/rank-0000[012].zst 100/rank-00001.zst
fails 2 "101.zst is of another run" "$replay" 100.zst 101.zst --verify --json
fails 2 "files of two runs are mixed" "$replay" 100/rank-0000[01].zst 101/rank-00002.zst
mkdir mixed empty folders
cp 100/rank-0000[01].zst 101/rank-00002.zst mixed
fails 2 "mixed/rank-00002.zst is of another run" "$replay" mixed --json
fails 2 "the file of rank 2 (rank-00002.zst) is missing" "$replay" 100/rank-0000[01].zst --verify
fails 2 "the file of rank 0 (rank-00000.zst) is missing" "$replay" 100/rank-00001.zst
rm mixed/rank-00001.zst 101/rank-00001.zst
fails 2 "files of two runs are mixed" "$replay" mixed --recover
fails 2 "the file of rank 1 (rank-00001.zst) is missing" "$replay" 101 --recover --json
fails 2 "holds no rank's trace" "$replay" empty --json
mkdir folders/rank-00000.zst
fails 2 "is a folder where a file was wanted" "$replay" folders
ln -s loop loop
fails 2 "cannot look at loop" "$replay" loop
fails 2 "there is no such file" "$replay" nowhere.zst --verify --json
if test "$(id -u)" -ne 0; then
    cp 100.zst locked.zst && chmod 0 locked.zst
    fails 2 "locked.zst" "$replay" locked.zst
    rm -f locked.zst
fi
"$replay" 100/rank-0000[210].zst --verify -q # in whatever order

# --- no traces

: >nothing
fails 2 "- is empty: no trace" "$replay" - <nothing
fails 2 "nothing is empty: no trace" "$replay" nothing --json
fails 2 "is empty: no trace" "$replay" /dev/null
fails 2 "not a kb trace: it begins with 23 21 2f 62" "$replay" "$0" --verify --json
fails 2 "not a kb trace: it begins with 00 00 00 00" "$replay" /dev/zero # which has no end
yes | fails 2 "not a kb trace: it begins with 79 0a 79 0a" "$replay" -
cat 100.zst | "$replay" - --verify -q

# --- what this build does not know

while read -r name words; do
    "$KB_BIN/../tests/strange-trace" "$name" strange.zst
    fails 2 "$words" "$replay" strange.zst
    fails 2 "$words" "$replay" strange.zst --verify --json --order random:3
done <<END
kind rank 0 #1 is of kind 99, which this build does not know: use a newer kb
func rank 0 #1 math: function 99 of f16 is not executed by this build (a newer kb may)
dtype rank 0 #1 math.neg: math.neg of f8e4m3 is not executed by this build (a newer kb may)
float-only rank 0 #1 math.exp: math.exp of i32 is not executed by this build
map rank 0 #1 map: virtual memory is not executed by this build
recipe initial contents 1 follow recipe 99, which this build does not know
END
"$KB_BIN/../tests/strange-trace" collective strange.zst # its outcome alone cannot be judged
"$replay" strange.zst --verify >out
grep -q "^not checked .*collective 0 was not compared" out

rm -r mixed empty folders loop nothing strange.zst
clean 100 101 100.zst 101.zst
