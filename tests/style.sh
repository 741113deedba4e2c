#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The house rules, checked: style.sh [ROOT]. Prints `file:line: what` for each breach; exit 1 if there is one.
here=$(cd "$(dirname "$0")" && pwd) || exit 2
exec python3 -B "$here/style.py" "${1:-$here/..}"
