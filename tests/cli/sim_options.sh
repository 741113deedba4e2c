#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# kb-sim: help, refusals with hints, exit statuses, listings, JSON.
sim="$KB_BIN/kb-sim"
. "$KB_ROOT/tests/support/is.sh"

# begins WORD: the last command's stdout begins with it.
begins() {
    head -n 1 out | grep -q "^$1" || { echo "stdout begins with '$(head -n 1 out)', wanted '$1'"; failed=1; }
}

for help in "--help" "-h" "run --help" "list --help" "explain-config -h" \
    "run allreduce --nonsense-after --help"; do
    case $help in *nonsense*) is 2 'unknown option --nonsense-after' "$sim" $help ;; *)
        is 0 '' "$sim" $help
        begins 'Examples:'
        ;;
    esac
done
is 0 '' "$sim" --version
begins 'kb-sim [0-9]*\.[0-9]*\.[0-9]*$'
is 0 '' "$sim" run --version

is 2 'a command is missing' "$sim"
is 2 "unknown command 'rum' (did you mean 'run'?)" "$sim" rum
is 2 'BENCH is missing' "$sim" run -o x.zst
is 2 '--output OUT is missing' "$sim" run allreduce
is 2 "unknown bench 'alreduce' (did you mean 'allreduce'?)" "$sim" run alreduce -o x.zst
is 2 'unknown option --rank (did you mean --ranks?)' "$sim" run allreduce -o x.zst --rank 3
is 2 '--ranks needs a value (N)' "$sim" run allreduce -o x.zst --ranks
is 2 "--ranks: 'two' is not a whole number" "$sim" run allreduce -o x.zst --ranks two
is 2 '--ranks: 0 is out of range (1 to 4294967295)' "$sim" run allreduce -o x.zst --ranks=0
is 2 '--verify takes no value' "$sim" run allreduce -o x.zst --verify=yes
is 2 "'more' is one argument too many" "$sim" run allreduce more -o x.zst
is 2 '257 ranks need as many PEs, and this machine has 256' "$sim" run allreduce --ranks 257 -o x.zst
is 2 "unknown parameter 'ipcq.slot' (did you mean 'ipcq.slots'?)" \
    "$sim" run allreduce --set ipcq.slot=2 -o x.zst
is 2 'hbm.timing' "$sim" run allreduce --set hbm.timing=hbm2 -o x.zst
is 2 'ipcq.slots: 0 is out of range (1 to 1048576 slots)' "$sim" explain-config --set ipcq.slots=0
is 2 'cube.routers: 16 is out of range (4 to 16 routers, each side, and a single n is n x 1)' \
    "$sim" explain-config --set cube.routers=16
is 2 'host program allreduce, rank 0' "$sim" run allreduce -p bytes=1TiB -o x.zst
is 2 "allreduce has no parameter 'elms' (did you mean 'elems'?)" "$sim" run allreduce -p elms=3 -o x.zst
is 2 "--color: 'blue' is not one of: auto always never" "$sim" run allreduce -o x.zst --color blue
is 2 "--max-time: '5' is not a time above 0 with its unit" "$sim" run allreduce -o x.zst --max-time 5
is 2 'no-such-folder' "$sim" run allreduce -o no-such-folder/x.zst
is 2 '--verify needs a trace that can be read again' "$sim" run allreduce -o - --verify
is 2 '--json and -o - both write to the standard output' "$sim" run allreduce -o - --json
is 2 "there is no list of 'bench'" "$sim" list bench
[ ! -e x.zst ] || { echo 'a refused run left a trace behind'; failed=1; }

# Origins, and what wins.
is 0 '' "$sim" explain-config --machine pes=16 --set ipcq.slots=8 --set ipcq.slots=9
grep -q '^ipcq.slots  *9  slots  *4  --set  ' out && grep -q '^cube.pes  *16  PEs  *8  --machine  ' out &&
    grep -q '^tcm.bytes  *16MiB  bytes  *16MiB  default  ' out || { echo 'origins:'; cat out; failed=1; }

# Every list and the settings are JSON.
for command in "list" "list benches" "list algorithms" "list components" "list topologies" "list checks" \
    "explain-config"; do
    is 0 '' "$sim" $command
    is 0 '' "$sim" $command --json
    python3 -c 'import json; assert json.load(open("out"))["version"] == 1' ||
        { echo "$command --json is no JSON object with a version"; failed=1; }
done

# Colours only where they are asked for.
is 2 'error:' "$sim" rum
! grep -q "$(printf '\033')" err || failed=1
"$sim" run allreduce --color=always 2>err
grep -q "$(printf '\033')" err || { echo '--color=always shows no colour'; failed=1; }

# A full disk is an error of the listing, too.
is 2 'cannot write to the standard output' sh -c '"$0" list >/dev/full' "$sim"
exit $failed
