#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Shows that each rule of style.sh can fail: plants one breach at a time in a clean little tree, and wants it
# named.
style=$(cd "$(dirname "$0")" && pwd)/style.sh
cd "${KB_TMP:?}" || exit 2
failed=0

head_of() {
    printf '/* SPDX-License-Identifier: Apache-2.0 */\n/* One subject, said in a few plain words. */\n'
}

clean_tree() {
    rm -rf tree && mkdir -p tree/libkbtrace/src tree/libkbtrace/include/kbtrace tree/libkbsim/src tree/docs \
        tree/tools tree/tests/cli tree/tests/unit/kbreplay tree/traces/ring
    { head_of; printf '#include <kbtrace/a.h>\nint kb_a(void) {\n    return 1;\n}\n'; } \
        >tree/libkbtrace/src/a.c
    { head_of; echo 'int kb_a(void);'; } >tree/libkbtrace/include/kbtrace/a.h
    printf '#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\ntrue\n' >tree/tests/cli/a.sh
    chmod +x tree/tests/cli/a.sh
    echo '[a page](docs/a.md)' >tree/README.md
    echo 'A page.' >tree/docs/a.md
    echo 'Why.' >tree/traces/ring/README.md
    echo 'allreduce' >tree/traces/ring/command
    printf 'BasedOnStyle: LLVM\nIndentWidth: 4\nAllowShortFunctionsOnASingleLine: None\n' >tree/.clang-format
}

# breach NAME EXPECTED: the tree must be refused, and one line of the output must match EXPECTED.
breach() {
    if "$style" tree >out 2>&1; then
        echo "$1: passed, but should not"
        failed=1
    elif ! grep -q -e "$2" out; then
        echo "$1: refused, but no line matches: $2"
        cat out
        failed=1
    fi
    clean_tree
}

c=tree/libkbtrace/src/a.c
h=tree/libkbtrace/include/kbtrace/a.h

clean_tree
"$style" tree || { echo "the clean tree was refused"; failed=1; }

sed -i 1d $c
breach licence 'src/a.c:1: no `SPDX'
sed -i 2d $c
breach subject 'src/a.c:2: no comment'
yes '/* a line */' | head -600 >>$c
breach file_length 'a.c:600: 606 lines'
printf '/* %0120d */\n' 0 >>$c
breach columns 'a.c:7: 126 columns'
printf 'int b; \n' >>$c
breach trailing 'a.c:7: white space'
printf '\tint b;\n' >>$c
breach tab 'a.c:7: a tab'
printf 'int b;' >>$c
breach newline 'a.c:7: no newline'
{ echo 'int kb_long(void) {'; yes '    kb_a();' | head -68; echo '    return 1;'; echo '}'; } >>$c
breach function_length 'a.c:7: kb_long() has 71 lines'
{ head_of; echo '#include <kbreplay/b.h>'; } >tree/libkbsim/src/b.c
breach sim_to_replay 'b.c:3: includes kbreplay/b.h'
{ head_of; echo '#include "../../libkbsim/src/b.h"'; } >>$c
breach trace_to_sim 'a.c:9: includes .*libkbsim'
mkdir tree/libkbtrace/src/wire
{ head_of; echo '#include "words/b.h"'; } >tree/libkbtrace/src/wire/b.c
breach layer 'wire/b.c:3: includes words/b.h: wire may not know words'
mkdir tree/libkbtrace/src/read
{ head_of; echo '#include "../write/b.h"'; } >tree/libkbtrace/src/read/b.c
breach layer_beside 'read/b.c:3: includes .*write/b.h: read may not know write'
mkdir tree/libkbtrace/src/odd
head_of >tree/libkbtrace/src/odd/b.c
breach layer_unknown 'odd/b.c:1: odd is no folder'
{ head_of; echo '#include <kbsim/b.h>'; } >tree/tools/kb-replay.c
breach tool 'kb-replay.c:3: includes kbsim/b.h'
{ head_of; echo '#include <kbsim/b.h>'; } >tree/tests/unit/kbreplay/test_b.c
breach test 'test_b.c:3: includes kbsim'
echo '#include <zstd.h>' >>$h
breach public 'a.h:4: includes zstd.h: no public'
echo '#include <zstd.h>' >>$c
breach zstd 'a.c:7: includes zstd.h: only files'
echo '#include <SDL.h>' >>$c
breach sdl 'a.c:7: includes SDL.h'
echo '#include <protobuf-c/protobuf-c.h>' >>$c
breach protobuf 'a.c:7: includes protobuf-c'
echo 'void f(void) { printf("x"); }' >>$c
breach prints 'a.c:7: printf('
echo 'void f(void) { exit(1); }' >>$c
breach exits 'a.c:7: exit('
echo 'void f(void) { free(0); }' >>$c
breach allocates 'a.c:7: free('
echo 'void f(void) { open("x", 0); }' >>$c
breach opens 'a.c:7: open('
mkdir -p tree/libkbtrace/src/b/c/d && cp $c tree/libkbtrace/src/b/c/d/a.c
breach unbuilt 'b/c/d/a.c:1: no build target'
head_of >tree/libkbtrace/src/lonely.h
breach header 'lonely.h:1: nothing includes'
mv $h tree/libkbtrace/include/a.h
breach public_place 'include/a.h:1: a public header belongs'
chmod -x tree/tests/cli/a.sh
breach executable 'a.sh:1: not executable'
rm tree/traces/ring/command
breach golden 'traces/ring:1: a golden trace needs a command'
echo '[b](docs/b.md)' >>tree/README.md
breach link 'README.md:2: the link to docs/b.md'
echo 'Alone.' >tree/docs/c.md
breach page 'docs/c.md:1: no page links'
printf '/* TO%s: later */\n' DO >>$c
breach unfinished 'a.c:7: TO''DO'
printf 'See /ho%s/me/x.\n' me >>tree/docs/a.md
breach machine_path 'docs/a.md:2: /ho''me/me'
echo 'int f(int k) { switch (k) { case KB_OP_GEMM: return 1; } return 0; }' >>$c
breach kinds 'a.c:7: case KB_OP_GEMM'
if command -v clang-format >/dev/null; then
    echo 'int  kb_b;' >>$c
breach format 'a.c:7: not as clang-format'
fi
exit $failed
