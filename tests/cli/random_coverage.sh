#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The random programs of the suite have everything in them that a program can have: see trace-coverage.
set -eu

# What no program can do yet, or no clean one ever does.
cat >never <<'END'
dtype.f8e4m3
dtype.f8e5m2
point.issue
point.start
role.stage
set.composite
func.copy
space.host
coll.reduce_scatter
coll.all_gather
coll.broadcast
coll.reduce
coll.all_to_all
coll.barrier
reduce.none
recipe.signs
resource.stream
kind.map
kind.unmap
cause.tlb
cause.unfinished
END
for func in div sqrt rsqrt recip exp log tanh sigmoid gelu silu softmax fma; do
    printf 'func.%s-of-i8\nfunc.%s-of-i32\n' $func $func
done >>never
for dtype in f16 bf16 f32 i8 i32; do
    echo func.copy-of-$dtype
done >>never

seq 1 100 | xargs -P "$(nproc)" -I{} "$KB_BIN/../tests/random-program" {} {}.zst >digests
"$KB_BIN/../tests/trace-coverage" ./*.zst >coverage
awk '$1 == 0 { print $2 }' coverage | sort >zero
sort never | diff - zero || { echo "< can be had by now, > never occurs"; exit 1; }
