# SPDX-License-Identifier: Apache-2.0
# What the scripts share: the packages, quiet runs, builds, golden traces. Sourced, after `root` is set; it
# changes nothing outside build/ but the machine's packages, and needs no git.

jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)

# The packages of Debian 12, by what they are needed for; each set includes those before it.
packages_for() {
    echo gcc libc6-dev cmake ninja-build pkg-config libzstd-dev libxxhash-dev libfyaml-dev
    [ "$1" = build ] && return
    echo libcmocka-dev libmpfr-dev zstd protobuf-compiler python3 python3-protobuf python3-numpy \
        python3-xxhash clang clang-format
    [ "$1" = test ] && return
    echo libclang-rt-14-dev
    [ "$1" = fuzz ] && return
    echo libprotobuf-c-dev protobuf-c-compiler libotf2-trace-dev python3-simpy3 libsimgrid-dev g++ \
        libopenblas-dev
}

# quiet LOG COMMAND...: runs the command with its output in LOG, and shows that only if it fails.
quiet() {
    log=$1
    shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 </dev/null && return
    cat "$log" >&2
    return 1
}

missing_packages() {
    for package in $(packages_for "$1"); do
        case $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) in
        installed) ;;
        *) printf '%s ' "$package" ;;
        esac
    done
}

# setup SET: installs what is missing of a set. A system without apt-get is taken as it is.
setup() {
    if ! command -v apt-get >/dev/null; then
        echo "no apt-get here: going on with what is installed (needed: $(packages_for "$1" | xargs))" >&2
        return
    fi
    missing=$(missing_packages "$1")
    [ -n "$missing" ] || return 0
    if [ "$(id -u)" -ne 0 ]; then
        echo "missing packages: $missing(run scripts/setup-debian as root)" >&2
        return 1
    fi
    echo "installing $missing" >&2
    quiet "$root/build/apt.log" apt-get update -q &&
        quiet "$root/build/apt.log" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -q -y --no-install-recommends $missing
}

# build PRESET [CMAKE ARGUMENTS...]: configures and builds build/PRESET.
build() {
    preset=$1
    shift
    (cd "$root" && quiet "build/$preset.configure.log" cmake --preset "$preset" "$@") &&
        quiet "$root/build/$preset.build.log" cmake --build "$root/build/$preset" -j "$jobs"
}

# golden_make BIN CASE OUT: makes into the folder OUT what the case's `command` says, and what people compare.
golden_make() {
    mkdir -p "$3" || return 2
    "$1/kb-sim" $(sed 's/#.*//' "$2/command") -q -o "$3/trace.zst" || return 2
    "$1/kb-export" "$3/trace.zst" --to jsonl -o "$3/records.jsonl" || return 2
    grep '"type":"op"' "$3/records.jsonl" | head -n 12 >"$3/records.jsonl.head"
    "$1/kb-replay" "$3/trace.zst" --verify --json >"$3/verdict.json" || return 1
    golden_digests "$3/verdict.json" >"$3/digests"
}

# golden_digests VERDICT: the digests of what `kb-replay --json` said.
golden_digests() {
    grep -o '"[a-z_]*digest":"[^"]*"' "$1" | tr -d '"' | tr : ' '
}
