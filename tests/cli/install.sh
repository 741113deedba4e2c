#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An installation into a folder, which is moved then: its tools find their files, and each example is built
# out of the tree by the compiler that kb-sim calls, by pkg-config and by CMake, and does the same.
. "$KB_ROOT/tests/support/is.sh"
. "$KB_ROOT/tests/support/own.sh"

cmake --install "$KB_BIN/.." --prefix "$PWD/first" >log 2>&1 || { cat log; exit 1; }
mv first prefix
PATH="$PWD/prefix/bin:$PATH"
export PATH
unset LD_LIBRARY_PATH
pc=$(find prefix -name kbsim.pc)
[ -n "$pc" ] || { echo 'no kbsim.pc'; exit 1; }
for file in include/kbsim/coll.h include/kbtrace/op.h share/kb/topologies share/kb/proto/kbtrace.proto; do
    [ -e "prefix/$file" ] || fail "there is no $file"
done
grep -rqF "$PWD/first" prefix/share prefix/lib* --include='*.cmake' --include='*.pc' &&
    fail 'a file names the prefix'
kb-sim list topologies | grep -q kernbench || fail 'topologies are not found'

cp -r "$KB_ROOT/examples" mine && cd mine || exit 1

# runs BENCH ALGORITHM MODEL: the ops of a run with all three.
runs() {
    kb-sim run "$1" --ranks 4 -p algo="$2" --set components.gemm="$3" -q -o run.zst &&
        kb-replay run.zst --verify -q || fail "$1 with $2 and $3 does not run"
    ops_of run.zst
}

export PKG_CONFIG_PATH="$PWD/../$(dirname "$pc")"
mkdir by_pkg
for file in bench/scaled_sum collective/around component/table_gemm; do
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -shared -fPIC $(pkg-config --cflags kbsim) \
        -o "by_pkg/${file#*/}.so" "$file.c" $(pkg-config --libs kbsim) ||
        fail "pkg-config does not build $file"
done
[ "kb-sim $(pkg-config --modversion kbsim)" = "$(kb-sim --version | head -n 1)" ] || fail 'another version'

cmake -G Ninja -S . -B by_cmake -DCMAKE_PREFIX_PATH="$PWD/../prefix" \
    -DCMAKE_C_FLAGS='-Wall -Wextra -Werror' \
    >log 2>&1 && cmake --build by_cmake >>log 2>&1 || { cat log; fail 'CMake does not build the examples'; }

runs ./bench/scaled_sum.c ./collective/around.c ./by_pkg/table_gemm.so >on_the_fly
for way in by_pkg by_cmake; do
    runs ./$way/scaled_sum.so ./$way/around.so ./$way/table_gemm.so | cmp - on_the_fly ||
        fail "$way: other ops"
done
exit $failed
