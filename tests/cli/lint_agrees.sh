#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A sample of tests/campaign/lint.sh: what lint says of random programs is what becomes of them.
"$KB_BIN/../tests/lint-agrees" 1 60 3 >out || { cat out; exit 1; }
read -r _ _ free _ hang _ hopeless _ <out
[ "$free" -gt 10 ] && [ "$hang" -gt 20 ] && [ "${hopeless#(}" -gt 5 ] ||
    { echo "too few of a kind:" && cat out; exit 1; }
