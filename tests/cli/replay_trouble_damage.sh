#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A trace that is cut or damaged anywhere: kb-replay uses what is whole, with a word and status 1, or refuses
# it with status 2; --recover uses what lies before the damage. Nothing else, and never half an answer.
set -eu
. "$KB_ROOT/tests/support/fails.sh"
replay=$KB_BIN/kb-replay
"$KB_BIN/../tests/program-trace" whole.zst # of many frames
size=$(wc -c <whole.zst)
"$replay" whole.zst --verify >out
ops=$(sed -n 's/.* \([0-9]*\) ops executed$/\1/p' out)

# takes FILE OPTION...: leaves the status, and holds what is said against what is promised for it.
takes() {
    status=0
    "$replay" "$@" --verify --json -q >out 2>err || status=$?
    case $status in
    1) grep -q '^{"version":.*"verdict":"fail",.*"complete":false.*}$' out ;;
    2) grep -q ': error: ' err && test ! -s out ;;
    *) false ;;
    esac || {
        echo "$*: status $status, and"
        cat out err
        exit 1
    }
}

# some N SEED: N numbers below the file's size
some() {
    awk -v n="$1" -v seed="$2" -v size="$size" 'BEGIN {srand(seed); while (n-- > 0) print int(rand() * size)}'
}

for end in 0 1 43 44 45 $((size - 1)) $((size - 40)) $(some 25 1); do
    head -c "$end" whole.zst >cut.zst
    takes cut.zst
    test $status -eq 1 || test "$end" -eq 0
    takes - <cut.zst
done

# The answer for what is left is the same as for a run that ended there: its ops are counted, not made up.
head -c $((size / 2)) whole.zst >cut.zst
takes cut.zst
left=$(sed -n 's/.*"ops":\([0-9]*\),.*/\1/p' out)
test "$left" -gt 0 && test "$left" -lt "$ops"
grep -q "the trace is incomplete" err

for at in $(some 25 2); do
    byte=$(od -An -tu1 -j "$at" -N 1 whole.zst)
    {
        head -c "$at" whole.zst
        printf "\\$(printf %o $((byte ^ 16)))"
        tail -c +$((at + 2)) whole.zst
    } >bad.zst
    test "$(wc -c <bad.zst)" -eq "$size"
    takes bad.zst
    test $status -eq 2
    grep -q 'bad\.zst' err
    takes bad.zst --recover
done

# In the middle, by name: where it is, and what to try.
at=$((size / 2))
{ head -c $at whole.zst; printf 'damage here'; tail -c +$((at + 12)) whole.zst; } >bad.zst
fails 2 "of bad.zst at byte" "$replay" bad.zst
grep -q -- "--recover" err
fails 1 "the trace is incomplete" "$replay" bad.zst --recover --verify
cat whole.zst whole.zst >twice.zst
fails 2 "twice.zst, byte" "$replay" twice.zst
rm cut.zst bad.zst twice.zst
clean whole.zst
