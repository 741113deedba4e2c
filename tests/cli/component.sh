#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Models of components: those that are built in, and a user's shared object, built out of the tree from the
# example; what is wrong with an object is told; one choice by any road is one configuration.
sim="$KB_BIN/kb-sim"
programs="$KB_BIN/../tests/kernel-programs"
. "$KB_ROOT/tests/support/is.sh"

# build NAME: an object of the source NAME.c, with what a user has.
build() {
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -shared -fPIC -I"$KB_ROOT/libkbsim/include" \
        -I"$KB_ROOT/libkbtrace/include" -o "$1.so" "$1.c" || fail "$1 cannot be built"
}

# spoil NAME SED-PROGRAM: the example, changed.
spoil() {
    sed "$2" table_gemm.c >"$1.c"
    ! cmp -s table_gemm.c "$1.c" || fail "$1: the example has no such place"
    build "$1"
}

# config_of TRACE: the digest of its configuration.
config_of() {
    "$KB_BIN/kb-export" "$1" --to jsonl -o - | head -n 1 | grep -o '"config_digest":"[^"]*"'
}

cp "$KB_ROOT/examples/component/table_gemm.c" . && build table_gemm

# Each gives a time of its own, and each run verifies.
"$programs" products tcm standard.zst || failed=1
"$programs" products tcm peak.zst components.gemm=peak || failed=1
"$programs" products tcm half.zst components.gemm=peak components.gemm.efficiency=0.5 || failed=1
"$programs" products tcm table.zst components.gemm=./table_gemm.so components.gemm.slower=30 || failed=1
"$sim" run allreduce --ranks 4 -q -o ring.zst || failed=1
"$sim" run allreduce --ranks 4 --set components.math=peak --set components.math.efficiency=0.05 -q \
    -o math.zst || failed=1
for trace in standard peak half table ring math; do
    "$KB_BIN/kb-replay" $trace.zst --verify -q || fail "$trace does not verify"
    "$KB_BIN/kb-export" $trace.zst --to jsonl -o - | grep '"kind":"gemm"\|"kind":"math"' |
        grep -v ipcq | md5sum >$trace.ops
    config_of $trace.zst >$trace.config
done
for pair in standard:peak peak:half half:table ring:math; do
    ! cmp -s "${pair%:*}.ops" "${pair#*:}.ops" || fail "$pair: their engines take the same time"
    ! cmp -s "${pair%:*}.config" "${pair#*:}.config" || fail "$pair: their configuration has one digest"
done

# By any road: nested, dotted, options first, beside the file that names it.
mkdir -p parts && cp table_gemm.so parts/
cat >nested.yaml <<'END'
components:
  gemm: {slower: 2, model: table_gemm.so}
  math: peak
END
cat >dotted.yaml <<'END'
components.math.efficiency: 0.25
components.math: peak
components.gemm.slower: 2.0
components.gemm: parts/../parts/table_gemm.so
END
printf 'components: {gemm: {model: ./table_gemm.so, slower: 2}}\n' >parts/gemm.yaml
printf 'components: {math: lanes}\ncomponents.gemm: tiles\ninclude: parts/gemm.yaml\n' >back.yaml
printf 'include: parts/gemm.yaml\ncomponents.math: peak\n' >included.yaml
rm -f first
for options in "--topology nested.yaml --set components.math.efficiency=0.25" "--topology dotted.yaml" \
    "--topology included.yaml --set components.math.efficiency=0.250" \
    "--set components.gemm=./table_gemm.so --set components.gemm.slower=2 --set components.math=peak
     --set components.math.efficiency=0.25"; do
    "$sim" run allreduce --ranks 2 $options -q -o road.zst || failed=1
    config_of road.zst >road
    [ -e first ] || cp road first
    cmp road first || fail "another digest by $options"
done
"$KB_BIN/kb-export" road.zst --to jsonl -o - >road.jsonl
grep '"path":"components.gemm"' road.jsonl | grep -q '"value":"table@[0-9a-f]\{32\}"' ||
    fail 'the trace does not name it'
grep '"path":"components.gemm.slower"' road.jsonl | grep '"value":"2"' | grep -q '"origin":"set"' ||
    fail 'the trace does not name its option'
! grep -q 'table_gemm' road.jsonl || fail 'the trace names a file'
"$sim" run allreduce --ranks 2 --topology back.yaml -q -o back.zst && config_of back.zst >back
"$sim" run allreduce --ranks 2 -q -o plain.zst && config_of plain.zst >plain
cmp back plain || fail 'the default models by name are not the default'

# What explain-config says of them, and what it prints is read back.
"$sim" explain-config --topology nested.yaml --format yaml >printed.yaml || failed=1
"$sim" explain-config --topology printed.yaml --format yaml | cmp - printed.yaml || failed=1
"$sim" explain-config --topology nested.yaml >out
grep -q '^components.gemm  *\./table_gemm.so  model  *tiles  nested.yaml:2  .*a table of measured' out &&
    grep -q '^components.gemm.slower  *2  times  *1  nested.yaml:2 ' out || { cat out; failed=1; }
"$sim" list components | grep -q '^    peak ' || fail 'list components shows no models'

# What is wrong.
set_gemm='explain-config --set components.gemm'
is 2 "unknown component 'gem' (did you mean 'gemm'?)" "$sim" explain-config --set components.gem=peak
is 2 "components.gemm: 'peek' is not one of tiles, peak, or a file (./my_model.so); did you mean 'peak'?" \
    "$sim" $set_gemm=peek
is 2 "components.hbm: there is one way to do it" "$sim" explain-config --set components.hbm=simple
is 2 "components.gemm: tiles has no option 'efficiency', it has none" "$sim" $set_gemm.efficiency=1
is 2 "components.gemm: peak has no option 'eficiency' (did you mean 'efficiency'?)" \
    "$sim" $set_gemm=peak --set components.gemm.eficiency=1
is 2 'components.gemm.efficiency: 2 is out of range (0.01 to 1 share)' \
    "$sim" $set_gemm=peak --set components.gemm.efficiency=2
is 2 "components.gemm.efficiency: 'x' is no number" "$sim" $set_gemm=peak --set components.gemm.efficiency=x
is 2 'nothing.so: No such file' "$sim" $set_gemm=./nothing.so
is 2 'is no file: a model is a shared object' "$sim" $set_gemm=./parts
is 2 'table_gemm.c is no shared object' "$sim" $set_gemm=./table_gemm.c
spoil abi 's/\.abi = KBS_COMPONENT_ABI/.abi = 99/'
is 2 './abi.so is made for version 99 of kbsim/component.h, and this kb-sim has version' \
    "$sim" $set_gemm=./abi.so
spoil size 's/\.size_bytes = sizeof(kbs_engine_model)/.size_bytes = 8/'
is 2 'size.so: its model has 8 bytes instead of' "$sim" $set_gemm=./size.so
is 2 './table_gemm.so is a model of gemm, not of math' \
    "$sim" explain-config --set components.math=./table_gemm.so
spoil symbol 's/KBS_COMPONENT_SYMBOL/another_name/'
is 2 'symbol.so exports no kbs_component_model' "$sim" $set_gemm=./symbol.so
spoil name 's/\.name = "table"/.name = "no name"/'
is 2 'name.so: its model has no proper .name' "$sim" $set_gemm=./name.so
spoil option 's/"1", "0.1", "100"/"1", "2", "100"/'
is 2 "option.so: the option 'slower' of its model has a standard" "$sim" $set_gemm=./option.so
spoil time 's/return (int64_t)(ps/return -(int64_t)(ps/'
is 2 'the model table says that this gemm takes -' "$programs" products tcm x.zst components.gemm=./time.so
printf 'components:\n  gemm: ./abi.so\n' >bad.yaml
is 2 'bad.yaml:2:3: ./abi.so is made for version 99' "$sim" explain-config --topology bad.yaml
printf 'components:\n  gemm:\n    model: peak\n    efficiency: 7\n' >bad.yaml
is 2 'bad.yaml:4:5: components.gemm.efficiency: 7 is out of range' "$sim" explain-config --topology bad.yaml
printf 'components: {gemm: peak}\ncomponents.gemm: peak\n' >bad.yaml
is 2 'bad.yaml:2:1: components.gemm is set a second time in this file (first in line 1)' \
    "$sim" explain-config --topology bad.yaml
printf 'components: {gemm: [peak]}\n' >bad.yaml
is 2 'bad.yaml:1:20: components.gemm takes a model' "$sim" explain-config --topology bad.yaml
printf 'components: peak\n' >bad.yaml
is 2 'bad.yaml:1:13: components takes components and their models' "$sim" explain-config --topology bad.yaml
printf 'components: {gem: peak}\n' >bad.yaml
is 2 "bad.yaml:1:19: unknown component 'gem' (did you mean 'gemm'?)" "$sim" explain-config --topology bad.yaml
is 2 "unknown key 'components'" "$sim" explain-config --ccl bad.yaml
exit $failed
