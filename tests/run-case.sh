#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs one test: run-case.sh SCRATCH COMMAND...  The command starts in an empty folder, which is also $KB_TMP.
# Its output is shown only if it fails, and the folder is kept then.
scratch=$1
shift
rm -rf "$scratch" && mkdir -p "$scratch/tmp" && cd "$scratch/tmp" || exit 2
KB_TMP=$scratch/tmp
export KB_TMP
"$@" >"$scratch/output" 2>&1 </dev/null
status=$?
if [ "$status" -ne 0 ]; then
    cat "$scratch/output"
    echo "exit status $status; scratch folder kept: $scratch/tmp"
    exit "$status"
fi
rm -rf "$scratch"
