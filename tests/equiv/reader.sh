#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A reader in Python that is written from the format page alone finds in each trace what kb-export writes;
# writes the same bytes anew by the page's rules; zstd and protoc read the same files as they are, and protoc
# finds no field that the schema does not know.
set -e
export PYTHONDONTWRITEBYTECODE=1 PYTHONPATH="$KB_TMP"
page=$KB_ROOT/docs/trace-format.md
python=/usr/bin/python3 # Debian's, which has Debian's python3-protobuf
protoc -I "$KB_ROOT/proto" --python_out="$KB_TMP" kbtrace.proto

# same TRACE [--loose]: all readers agree on it. A folder's files are read one by one by zstd and protoc.
same() {
    "$KB_BIN/kb-export" "$1" --to jsonl -o out.jsonl
    $python "$KB_ROOT/tests/equiv/reader_compare.py" "$page" "$1" out.jsonl $2
    find "$1" -name '*.zst' >files
    while read -r file; do
        $python "$KB_ROOT/tests/equiv/writer_check.py" "$file"
        zstd -qt "$file"
        zstd -qdc "$file" | protoc -I "$KB_ROOT/proto" --decode=kb.trace.Trace kbtrace.proto >decoded
        if grep -nE '^ *[0-9]+[:{ ]' decoded | head -n 3 | grep .; then
            echo "$file: protoc does not know these fields"
            exit 1
        fi
    done <files
}

"$KB_BIN/../tests/kb-trace-example" example.zst
$python "$KB_ROOT/tests/equiv/example.py" "$page" example.zst
same example.zst

random() {
    "$KB_BIN/../tests/kb-trace-random" "$@"
    for last; do :; done
    same "$last" --loose
}

#      seed   ops ranks what open_bytes threads
random    1     0     1 tame       0       1 empty.zst
random    2     1     3 wild       0       1 one.zst
random    3   300     2 tame       0       2 tame.zst
random    4   700     3 wild    2000       2 wild.zst # hundreds of frames, some restated
random    5   200     4 wild    6000       1 wild/
random    6     5   130 wild       0       1 ranks.zst
random    7 16385     1 tame  100000       2 blocks.zst # one op beyond a block of digests

# A trace that is cut anywhere is read up to its last whole frame (here and there; every byte is a campaign).
size=$(wc -c <wild.zst)
for end in $((size / 100)) $((size / 5)) $((size / 2)) $((size - 9000)) $((size - 900)) $((size - 3)); do
    head -c $end wild.zst >cut.zst
    status=0
    "$KB_BIN/kb-export" cut.zst --to jsonl -o out.jsonl 2>err || status=$?
    [ $status -eq 1 ] || { echo "a trace cut at byte $end gives status $status"; cat err; exit 1; }
    $python "$KB_ROOT/tests/equiv/reader_compare.py" "$page" cut.zst out.jsonl --loose --cut
done

for n in 1 2 3 5; do
    [ -x "$KB_BIN/kb-sim" ] || break
    "$KB_BIN/kb-sim" run allreduce -p algo=ring --ranks $n -p elems=1000 -q -o ring-$n.zst
    same ring-$n.zst
done
