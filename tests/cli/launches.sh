#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Launches in flight: what a host does before it has waited for the launch whose tensors it touches is a
# finding, and nothing else is; a host that waits for ever is explained. (kernels.sh has the program that is
# right.)
set -eu

for space in tcm sram hbm; do
    for order in recorded random:1 random:2; do
        "$KB_BIN/../tests/kernel-programs" flights $space run.zst
        "$KB_BIN/kb-replay" run.zst --verify --order $order >out
        grep -q '^verified: pass' out

        "$KB_BIN/../tests/kernel-programs" early_read $space run.zst
        ! "$KB_BIN/kb-replay" run.zst --verify --order $order >out
        test "$(grep -c '^E-ORDER .* host_read (kernel-programs.c' out)" = 4
        test "$(grep -c '^E-' out)" = 4 # in each rank what is too early, and not what was waited for

        "$KB_BIN/../tests/kernel-programs" early_write $space run.zst
        ! "$KB_BIN/kb-replay" run.zst --verify --order $order >out
        test "$(grep -c '^E-ORDER .* host_write (kernel-programs.c' out)" = 4
        test "$(grep -c '^E-' out)" = 4
    done
done

# Rank 1 takes what rank 0 sends in a launch that comes when all hosts have met; its own waits before that.
! "$KB_BIN/../tests/kernel-programs" stuck tcm run.zst 2>said
grep -q '^these wait for one another' said
grep -q 'rank 0 (host): barrier .* for rank 1' said
grep -q 'rank 1 (host): wait .* waits until launch #0 is done' said
grep -q 'rank 1 (sip0.cube0.pe1): ipcq_recv .* waits for message slot 0 of queue pe0>pe1' said
grep -q 'no number of slots lets this program end' said
