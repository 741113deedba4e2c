#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every golden trace is made again from its command, and must be the same: the decompressed bytes, the first
# records as people read them, and the digests. Its replay must pass. After an intended change: scripts/bless.
root=$KB_ROOT
. "$root/scripts/lib.sh"
failed=0

# Of older versions of the format the traces are kept as they were written: only reading them can be tested.
golden_of_old() {
    "$KB_BIN/kb-replay" "$1/trace.zst" --verify --json >verdict.json || return 1
    golden_digests verdict.json >have
    diff -u "$1/digests" have
}
for case in "$root"/traces/format-*; do
    if ! golden_of_old "$case"; then
        echo "$(basename "$case"): is read otherwise than when it was written"
        failed=1
    fi
done
for case in "$root"/traces/*/command; do
    [ -e "$case" ] || { echo "no golden traces"; exit 1; }
    case=${case%/command}
    name=$(basename "$case")
    if ! golden_make "$KB_BIN" "$case" "$name"; then
        echo "$name: could not be made, or its replay did not pass"
        failed=1
        continue
    fi
    zstd -qdc "$case/trace.zst" >"$name/want" && zstd -qdc "$name/trace.zst" >"$name/have" || failed=1
    if ! cmp "$name/want" "$name/have"; then
        echo "$name: the trace has changed"
        failed=1
    fi
    for file in digests records.jsonl.head; do
        diff -u "$case/$file" "$name/$file" || failed=1
    done
done
exit $failed
