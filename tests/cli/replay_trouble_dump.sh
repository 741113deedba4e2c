#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Dumps that cannot be made: of what there is not, to where nothing can be written, or not so much. A file
# that was there stays as it was, and no half of a new one is left.
set -eu
. "$KB_ROOT/tests/support/fails.sh"
replay=$KB_BIN/kb-replay
"$KB_BIN/kb-sim" run allreduce --ranks 3 -p elems=20000 -q -o run.zst

fails 2 "the trace has no tensor \`y@1\`; did you mean \`x@1\`?" "$replay" run.zst --dump y@1=a.npy
fails 2 "did you mean" "$replay" run.zst --dump x@9=a.npy --verify --json
fails 2 "3 tensors are called \`x\`: name one by its rank, as \`x@0\`" "$replay" run.zst --dump x=a.npy --json
fails 2 "go to one file, a.npy" "$replay" run.zst --dump x@0=a.npy --dump x@1=a.npy
fails 2 "run.zst is the trace, and would be overwritten" "$replay" run.zst --dump x@0=run.zst
fails 2 "nowhere/a.npy" "$replay" run.zst --dump x@0=nowhere/a.npy
mkdir folder
fails 2 "folder" "$replay" run.zst --dump x@0=folder
fails 2 "the standard output" "$replay" run.zst --dump x@0=-
fails 2 "the standard output" "$replay" run.zst --dump x@0=- -q --json
fails 2 "No space left on device" "$replay" run.zst --dump x@0=/dev/full --json
fails 2 "No space left on device" "$replay" run.zst --verify --json --dump x@0=a.npy --dump x@1=/dev/full
test -s a.npy # the first of the two was whole
clean run.zst folder a.npy

"$replay" run.zst -q --dump x@0=- >b.npy
cmp a.npy b.npy

# A file that may not grow beyond a kilobyte or so: the former one stays.
echo former >a.npy
fails 2 "File too large" sh -c 'ulimit -f 1; exec "$@"' sh "$replay" run.zst --dump x@0=a.npy --json
test "$(cat a.npy)" = former

# A disk of 16 KiB, where the machine lets us have one.
if mount -t tmpfs -o size=16k none folder 2>/dev/null; then
    status=0
    (
        echo former >folder/a.npy
        fails 2 "No space left on device" "$replay" run.zst --dump x@0=folder/a.npy --verify
        cd folder && test "$(cat a.npy)" = former && clean a.npy
    ) || status=1
    umount folder
    test $status -eq 0
fi
clean run.zst folder a.npy b.npy
