# SPDX-License-Identifier: Apache-2.0
# What tests of options share: all that is wrong is told before a case fails. Sourced; who does ends with
# `exit $failed`, and `out` and `err` of the last command stay.
failed=0

fail() {
    echo "$1"
    failed=1
}

# is STATUS WORDS COMMAND...: exits with STATUS, and stderr holds WORDS; with '' it is empty.
is() {
    wanted=$1 words=$2
    shift 2
    "$@" >out 2>err
    status=$?
    case $words in
    '') [ ! -s err ] ;;
    *) grep -qF -- "$words" err ;;
    esac
    if [ $? -ne 0 ] || [ $status -ne "$wanted" ]; then
        echo "$*: exit status $status, wanted $wanted; stderr, wanted '$words':"
        cat err
        failed=1
    fi
}
