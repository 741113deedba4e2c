#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What tests/cli/replay_threads.sh samples: N random programs, of each a mutant and racy ones; whole reports
# are the same for any number of threads, over shared memory and over messages, in any order of the walk.
#   KB_BIN=build/release/bin tests/campaign/threads.sh [N [FIRST]]
count=${1:-300} first=${2:-1}
KB_BIN=$(cd "$KB_BIN" && pwd) && scratch=$(mktemp -d) || exit 2
export KB_BIN
trap 'rm -rf "$scratch"' EXIT
cat >"$scratch/one" <<'END'
seed=$1
cd "$2" && mkdir "$seed" && cd "$seed" || exit 2
"$KB_BIN/../tests/random-program" "$seed" clean.zst >out 2>&1 || { echo "seed $seed: the run fails"; exit 1; }
faults=$("$KB_BIN/kb-mutate" --list | wc -l)
fault=$("$KB_BIN/kb-mutate" --list | sed -n "$((seed % faults + 1))s/ .*//p")
"$KB_BIN/kb-mutate" clean.zst --fault "$fault" --seed "$seed" -q -o bad.zst 2>err || rm -f bad.zst
for race in no-wait no-fence no-barrier early-release; do
    "$KB_BIN/../tests/random-program" "$seed" $race.zst --spoil "$race:$seed" >what 2>err || rm -f $race.zst
done
"$KB_BIN/../tests/replay-threads" ./*.zst >out 2>&1 || { echo "seed $seed, $fault:"; head -n 20 out; exit 1; }
cd .. && rm -rf "$seed"
END
seq "$first" $((first + count - 1)) | xargs -P 2 -I{} sh "$scratch/one" {} "$scratch" >"$scratch/log"
status=$?
cat "$scratch/log"
echo "$count programs, $(grep -c '^seed ' "$scratch/log") that threads change"
exit $((status != 0))
