#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every fault of kb-mutate in every algorithm: how many are found, and how often the first finding names the
# op that was spoilt. Prints the table of docs/verification.md; 1 where anything is missed. Minutes.
#   KB_BIN=build/release/bin [BUFFER=tcm|sram|hbm] [ALGORITHMS='ring tree direct'] \
#       tests/campaign/mutants.sh [DRAWS [RANKS...]]
exec python3 "$(dirname "$0")/mutants.py" "$@"
