# SPDX-License-Identifier: Apache-2.0
# What tests of users' own code share. Sourced, after is.sh.

# object NAME: the shared object NAME.so of NAME.c, with what a user has.
object() {
    ${CC:-cc} -std=c11 -Wall -Wextra -Werror -shared -fPIC -I"$KB_BIN/../include" -o "$1.so" "$1.c" ||
        fail "$1 cannot be built"
}

# ops_of TRACE: its ops, without the lines that say what was run.
ops_of() {
    "$KB_BIN/kb-export" "$1" --to jsonl -o - | grep '"kind":' | md5sum
}

# sources_of TRACE: what it says of users' files.
sources_of() {
    "$KB_BIN/kb-export" "$1" --to jsonl -o - | grep '"path":"program.sources"' |
        sed 's/.*"value":"\([^"]*\)".*/\1/'
}
