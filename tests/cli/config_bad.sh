#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A catalogue of broken configurations: each ends in exit status 2, with the place and with what to do.
sim="$KB_BIN/kb-sim"
failed=0
cases=0

# is WORDS OPTIONS...: is refused, and stderr holds WORDS.
is() {
    words=$1
    shift
    cases=$((cases + 1))
    "$sim" explain-config "$@" >out 2>err
    status=$?
    if [ $status -ne 2 ] || [ -s out ] || ! grep -qF -- "$words" err; then
        echo "exit status $status; wanted 2 and '$words' of:"
        [ ! -f bad.yaml ] || sed 's/^/    /' bad.yaml
        cat err
        failed=1
    fi
}

# bad CONTENT WORDS: the same of a topology that printf writes; ccl of a ccl file.
bad() {
    printf "$1" >bad.yaml
    is "$2" --topology bad.yaml
}
ccl() {
    printf "$1" >bad.yaml
    is "$2" --ccl bad.yaml
}

# Single rings.
bad 'ipcq:\n  slots_of: 8\n' \
    "bad.yaml:2:13: ipcq.slots_of takes names of queues, and a number of slots"
bad 'ipcq:\n  slots_of:\n    pe0: 8\n' \
    "bad.yaml:3:10: ipcq.slots_of.pe0: no queue has such a name (try"
bad 'ipcq.slots_of.pe0>pe1: [8]\n' "ipcq.slots_of.pe0>pe1 takes one number of slots"
bad 'ipcq.slots_of.pe0>pe1: 0\n' \
    "ipcq.slots_of.pe0>pe1: 0 is out of range (1 to 1048576 slots)"
ccl 'ipcq.slots_of:\n  pe0>pe1: 2\n  pe0>pe2: 3\nipcq.slots_of.pe0>pe1: 4\n' \
    "is set a second time in this file (first in line 2)"
is "ipcq.slots_of.pe0>pe1: 'many' is no number of slots" --set 'ipcq.slots_of.pe0>pe1=many'
for name in pe0 'pe0>' 'pe0>pe01' 'pe0>pe1.' 'pe0>pe1.0' 'pe0>pe1.01' 'e0>pe1' 'pe0>pe1x' \
    'pe1234567890>pe1'; do
    is "no queue has such a name" --set "ipcq.slots_of.$name=4"
done

# Keys.
bad 'ipcq:\n  slot: 8\n' "bad.yaml:2:3: unknown key 'ipcq.slot' (did you mean 'ipcq.slots'?)"
bad 'ipcq.slot: 8\n' "bad.yaml:1:1: unknown key 'ipcq.slot' (did you mean 'ipcq.slots'?)"
bad 'ipqc:\n  slots: 8\n' "bad.yaml:1:1: unknown key 'ipqc' (did you mean 'ipcq'?)"
bad 'slots: 8\n' "bad.yaml:1:1: unknown key 'slots' (did you mean"
bad 'frobnicate: 8\n' "bad.yaml:1:1: unknown key 'frobnicate' (kb-sim explain-config lists them)"
bad 'includ: default\n' "bad.yaml:1:1: unknown key 'includ' (did you mean 'include'?)"
bad 'hbm.timing: hbm2\n' "bad.yaml:1:13: hbm.timing: 'hbm2' is not one of off/hbm3 (did you mean 'hbm3'?)"
bad 'hbm: {timing: hbm3}\nhbm3.banks: 12\n' 'bad.yaml:2:1: hbm3.banks: 12 is no power of two'
bad 'pcie: {lanes: 16}\n' "bad.yaml:1:8: unknown key 'pcie.lanes'"
bad 'system.grid: torus\n' \
    "bad.yaml:1:14: system.grid: 'torus' is not one of ring_1d/torus_2d/mesh_2d (did you mean 'torus_2d'?)"
bad 'sip.cubes: 1\nio.links: 7\n' \
    'bad.yaml:2:1: io.links: 7 links need an edge router each, and the first row of cubes has 6'
bad 'system.sips: 32x32\nsip.cubes: 16x16\nhbm.slice_bytes: 1TiB\ncube: {pes: 128, routers: 16x16}\n' \
    'bad.yaml:3:1: hbm.slice_bytes: with so many packages and cubes an address takes 66 bits, and it has 64'
bad 'pcie.gbps: 0\n' 'bad.yaml:1:12: pcie.gbps: 0 is out of range'
bad 'ipcq.slots.size: 8\n' "bad.yaml:1:1: unknown key 'ipcq.slots.size'"
bad 'ipcq: {slots: 8}\ndma: {slots: 8}\n' "bad.yaml:2:7: unknown key 'dma.slots'"
bad 'a.very.long.key.that.nobody.would.ever.write.and.that.does.not.fit.anywhere.at.all: 1\n' \
    "bad.yaml:1:1: unknown key 'a.very.long"
bad 'collective: {algo: tree}\n' "bad.yaml:1:1: unknown key 'collective'"
bad '? [ipcq]\n: 8\n' 'bad.yaml:1:3: a key is a word'
bad '<<: {ipcq.slots: 8}\n' 'bad.yaml:1:1: merge keys (<<) are not used here: include a file'
bad 'ipcq.slots: 8\nipcq.slots: 8\n' \
    "bad.yaml:2:1: the key 'ipcq.slots' is here a second time (first in line 1)"
bad 'ipcq.slots: 8\nipcq:\n  slots: 9\n' \
    'bad.yaml:3:3: ipcq.slots is set a second time in this file (first in line 1)'

# Values.
bad 'ipcq.slots: 0\n' 'bad.yaml:1:13: ipcq.slots: 0 is out of range (1 to 1048576 slots)'
bad 'noc.link_gbps: 0\n' 'bad.yaml:1:16: noc.link_gbps: 0 is out of range (0.001 to 1000000 GB/s)'
bad 'sip.cubes: 4x0\n' 'bad.yaml:1:12: sip.cubes: 4x0 is out of range (1 to 16 cubes, each side'
bad 'system.sips: 33\n' 'bad.yaml:1:14: system.sips: 33 is out of range'
bad 'sip.cubes: [4, 4]\n' 'bad.yaml:1:12: sip.cubes takes one value, and this is a list'
bad 'ipcq.slots: {n: 8}\n' 'bad.yaml:1:13: ipcq.slots takes one value, and this is a map'
bad 'ipcq: 8\n' \
    'bad.yaml:1:7: ipcq is a group: its parameters stand below it, indented, and this is one value'
bad 'ipcq:\n' 'ipcq is a group'
bad 'ipcq.slots:\n' "ipcq.slots: '' is not a whole number"
bad 'ipcq.slots: eight\n' "bad.yaml:1:13: ipcq.slots: 'eight' is not a whole number"
bad 'ipcq.slots: -8\n' "bad.yaml:1:13: ipcq.slots: '-8' is not a whole number"
bad 'ipcq.slots: 8.5\n' "ipcq.slots: '8.5' is no whole number of slots"
bad 'ipcq.slots: 99999999999999999999999\n' 'ipcq.slots: 99999999999999999999999 is out of range'
bad 'tcm.bytes: 2TiB\n' 'tcm.bytes: 2TiB is out of range (1 to 1TiB bytes)'
bad 'tcm.bytes: 1.3KiB\n' "tcm.bytes: '1.3KiB' is no whole number of bytes"
bad 'dma.setup_ns: 10GB/s\n' \
    "bad.yaml:1:15: dma.setup_ns: '10GB/s' does not end in a unit that it can have (ns, ps, us, ms, s)"
bad 'noc.link_gbps: 256 Gb/s\n' \
    "noc.link_gbps: '256 Gb/s' does not end in a unit that it can have (GB/s, kB/s, MB/s, TB/s)"
bad 'sram.gbps: 1 GiB/s\n' "sram.gbps: '1 GiB/s' does not end in a unit"
bad 'ipcq.slots: 8ns\n' "ipcq.slots: '8ns' does not end in a unit that it can have (slots)"
bad 'dma.setup_ns: 0.0001ps\n' "dma.setup_ns: '0.0001ps' is finer than a millionth of a ns"
bad 'dma.setup_ns: 1e3\n' "dma.setup_ns: '1e3' does not end in a unit"
bad 'ipcq.ring: srm\n' "bad.yaml:1:12: ipcq.ring: 'srm' is not one of tcm/sram/hbm (did you mean 'sram'?)"
bad 'gemm.tile: 8x8\n' "gemm.tile: '8x8' is not a box such as 32x64x32"
bad 'ipcq.slots: "8\\n9"\n' 'bad.yaml:1:14: ipcq.slots: a value of several lines'
bad 'help: "\\x1b[31m"\n' 'bad.yaml:1:8: a text with a control character in it'
bad 'help: [a]\n' 'bad.yaml:1:7: help is a text'

# Values that do not fit together.
bad 'cube:\n  pes: 33\n' 'bad.yaml:2:3: cube.pes: 33 PEs need a router each, and cube.routers=6x6 has 32'
bad 'cube.routers: 4x4\ncube.pes: 13\n' \
    'bad.yaml:2:1: cube.pes: 13 PEs need a router each, and cube.routers=4x4 has 12'
bad 'ucie.links: 7\n' 'bad.yaml:1:1: ucie.links: 7 links need an edge router each'
bad 'hbm.channels_per_pe: 6\n' 'bad.yaml:1:1: hbm.channels_per_pe: 6 is no power of two'
bad 'hbm.access_bytes: 48\n' \
    'bad.yaml:1:1: hbm.access_bytes: a burst of 256 bytes is no whole number of accesses'

# The text itself.
bad '' 'bad.yaml:1:1: the file is empty'
bad '# nothing but this\n' 'the file is empty'
bad 'ipcq:\n\tslots: 8\n' 'bad.yaml:2:1: a tab: indent and separate with spaces'
bad 'ipcq.slots: 8\nhelp: \377\n' 'bad.yaml:2:7: this is no UTF-8'
bad 'help: \355\240\200\n' 'bad.yaml:1:7: this is no UTF-8'
bad 'help: a\000b\n' 'bad.yaml:1:8: a control character'
bad '8\n' 'bad.yaml:1:1: settings are expected here'
bad '[ipcq.slots, 8]\n' 'bad.yaml:1:1: settings are expected here'
bad 'ipcq: {slots: 8\n' 'bad.yaml:2:1: '
bad 'ipcq: slots: 8\n' 'bad.yaml:1:12: '
bad 'ipcq.slots: "8\n' 'bad.yaml:1:'
bad 'ipcq:\n  slots: 8\n ring: tcm\n' 'bad.yaml:3:'
bad 'ipcq.slots: 8\n---\nipcq.slots: 9\n' 'bad.yaml:3:1: a second document (---)'
bad 'ipcq.slots: !!int 8\n' 'bad.yaml:1:13: tags (!...) are not used here'
bad 'ipcq.slots: *x\n' 'bad.yaml:1:14: *x: no value before this one is called &x'
bad 'ipcq: &x {slots: 8}\n' 'an anchor (&) names a single value'
bad '[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]\n' 'maps and lists lie too deep in one another'
bad '%%YAML 9.9\n---\nipcq.slots: 8\n' 'bad.yaml:1:1: '

# Files.
rm -f bad.yaml
is 'cannot open nowhere.yaml: No such file or directory' --topology nowhere.yaml
mkdir folder.yaml
is 'folder.yaml is a folder' --topology folder.yaml
is "unknown topology 'kernbnch' (did you mean 'kernbench'? there are also default, sips32, tiny" \
    --topology kernbnch
is "unknown topology 'x' (there are default, kernbench, sips32, tiny" --topology x
is "unknown topology ''" --topology ''
touch known
is 'for the file of that name write ./ before it' --topology known
head -c 300000 /dev/zero | tr '\0' '#' >long.yaml
is 'long.yaml is longer than' --topology long.yaml
bad 'include: nowhere.yaml\n' 'cannot open nowhere.yaml'
bad 'ipcq.slots: 8\ninclude: nowhere.yaml\n' 'reading nowhere.yaml, included at bad.yaml:2:10'
bad 'include: {a: b}\n' 'bad.yaml:1:10: include takes the name of a file, or a list of them'
bad 'include: [[a]]\n' 'bad.yaml:1:11: include takes the name of a file, or a list of them'
bad 'include:\n' 'include takes the name of a file'
bad 'include: kernbnch\n' "bad.yaml:1:10: unknown topology 'kernbnch' (did you mean 'kernbench'?"
bad 'include: bad.yaml\n' 'bad.yaml:1:10: a circle of includes: bad.yaml -> bad.yaml'
mkdir -p sub
printf 'include: ../bad.yaml\n' >sub/other.yaml
bad 'include: ./sub/./other.yaml\n' \
    'sub/other.yaml:1:10: a circle of includes: bad.yaml -> sub/other.yaml -> bad.yaml'
printf 'ipcq.slots: 0\n' >sub/zero.yaml
bad 'include: sub/zero.yaml\n' \
    'out of range (1 to 1048576 slots): while reading sub/zero.yaml, included at bad.yaml:1:10'
i=0
while [ $i -lt 20 ]; do
    printf 'include: deep%d.yaml\n' $((i + 1)) >deep$i.yaml
    i=$((i + 1))
done
is 'deep15.yaml:1:10: includes lie more than 16 deep' --topology deep0.yaml
printf 'ipcq.slots: 8\n' >wide0.yaml
for i in 1 2 3 4 5 6; do
    before=wide$((i - 1)).yaml
    echo "include: [$before, $before, $before]" >wide$i.yaml
done
is 'more than 64 files are included' --topology wide6.yaml

# ccl files.
ccl 'dma.setup_ns: 1\n' \
    'bad.yaml:1:1: dma.setup_ns belongs into a topology: a ccl file sets ipcq and collective'
ccl 'dma: {setup_ns: 1}\n' 'bad.yaml:1:1: dma belongs into a topology'
ccl 'collective: ring\n' 'bad.yaml:1:13: collective is a group'
ccl 'collective: {algo: [ring]}\n' 'bad.yaml:1:20: collective.algo takes one value'
ccl 'colective: {algo: ring}\n' "bad.yaml:1:1: unknown key 'colective' (did you mean 'collective'?)"
for what in "algoo: ring|bad.yaml:1:14: allreduce has no parameter 'algoo' (did you mean 'algo'?)" \
    "slots: 8|bad.yaml:1:14: slots is the machine's: set ipcq.slots instead"; do
    cases=$((cases + 1))
    echo "collective: {${what%%|*}}" >bad.yaml
    "$sim" run allreduce --ccl bad.yaml -o x.zst 2>err
    [ $? -eq 2 ] && grep -qF -- "${what#*|}" err || { echo "wanted ${what#*|}:"; cat err; failed=1; }
done

# Options.
rm -f bad.yaml
is "unknown parameter 'ipcq.slot' (did you mean 'ipcq.slots'?): while reading --set ipcq.slot=8" \
    --set ipcq.slot=8
is "'ipcq.slots' is not PATH=VALUE" --set ipcq.slots
is "while reading --set dma.setup_ns=5GB" --set dma.setup_ns=5GB
is 'while reading --machine pes=0' --machine pes=0
[ $cases -ge 40 ] || { echo "$cases cases only"; failed=1; }
exit $failed
