#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# No tool holds code of both passes, and only kb-sim holds code of the simulator.
failed=0

# refuse TOOL PREFIXES: none of its defined symbols may begin so.
refuse() {
    nm --defined-only "$KB_BIN/$1" >symbols || failed=1
    if grep -E " [A-Za-z] ($2)_" symbols | head -n 5 | grep .; then
        echo "$1 holds the code above, of a library that it must not link"
        failed=1
    fi
}

for tool in "$KB_BIN"/kb-*; do
    tool=$(basename "$tool")
    case $tool in
    kb-sim) refuse "$tool" kbr ;;
    kb-replay | kb-view) refuse "$tool" 'kbs|tl' ;;
    *) refuse "$tool" 'kbs|tl|kbr' ;;
    esac
done
exit $failed
