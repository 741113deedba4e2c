#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests of damage and faults with every byte, bit, number, allocation and call, not a sample: minutes.
#   KB_BIN=build/release/bin tests/campaign/faults.sh
KB_CAMPAIGN=1
export KB_CAMPAIGN
failed=0
for test in damage hostile faults malloc_refused files; do
    "$KB_BIN/../tests/kbtrace_test_$test" || failed=1
done
exit $failed
