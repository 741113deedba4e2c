# SPDX-License-Identifier: Apache-2.0
# What tests of trouble share. Sourced; `out` and `err` of the last command stay.

# fails STATUS WORDS COMMAND...: it ends with that status, and says WORDS. With status 2 it says nothing else:
# one message on stderr, and no word on stdout.
fails() {
    want=$1 words=$2
    shift 2
    status=0
    "$@" >out 2>err || status=$?
    if test $status -ne "$want" || ! cat out err | grep -qF -- "$words"; then
        echo "$*: status $status where $want should be, or no '$words' in"
        cat out err
        exit 1
    fi
    test "$want" -eq 2 || return 0
    if test -s out || test "$(grep -c ': error: ' err)" -ne 1; then
        echo "$*: a failure is one message on stderr, and not:"
        cat out err
        exit 1
    fi
}

# clean NAMES: these, and what tests leave themselves, are all that lies here.
clean() {
    for left in * .[!.]*; do
        case " $* out err .[!.]* " in
        *" $left "*) ;;
        *)
            echo "$left was left behind"
            exit 1
            ;;
        esac
    done
}
