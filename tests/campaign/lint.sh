#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lint against simulation: N random programs of messages, launches and barriers, of which many hang, from seed
# FIRST on. Those that it proves free come to their end at PATTERNS patterns of delays, orders and machines;
# those that it rejects stand still in the same words, and end with the sizes that it names, and with none
# smaller; those that no size helps hang with very many slots.
#   KB_BIN=build/release/bin tests/campaign/lint.sh [N [FIRST [PATTERNS]]]
# The default is 500 programs and 8 patterns; what differs is shown with its seed.
count=${1:-500} first=${2:-1} patterns=${3:-8} part=25
KB_BIN=$(cd "$KB_BIN" && pwd) && scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
seq "$first" $part $((first + count - 1)) |
    xargs -P "$(nproc)" -I{} "$KB_BIN/../tests/lint-agrees" {} $part "$patterns" >"$scratch/log"
status=$?
grep -v ' programs: ' "$scratch/log"
awk '/ programs: / { n += $1; free += $3; hang += $5; hopeless += substr($7, 2); runs += $(NF - 1) }
     END { print n " programs: " free " free, " hang " hang (" hopeless " whatever the slots), " runs " runs"
     }' "$scratch/log"
exit $((status != 0))
