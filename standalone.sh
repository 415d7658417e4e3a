#!/bin/sh
# Compiles the handler files of a directory into the server and runs it; `./standalone.sh help`
# explains all options and commands:
#
#   ./standalone.sh -p 9998 -w handlers
#
# or runs the tests, with the arguments of `swift test`:
#
#   ./standalone.sh test
#
# This script builds the launcher (Sources/launcher) when the server's own sources or the compiler
# changed, and hands all arguments over to it.
#
# WEBSOCKETHOST_BUILD=debug builds without optimisation, for work on the server itself.
set -u

package=$(readlink -f -- "$0") && package=${package%/*} || exit 1
mode=${WEBSOCKETHOST_BUILD:-release}
build=$package/.build/standalone # SwiftPM's folder, apart from that of a developer's `swift build`
launcher=$build/launcher-$mode

say() { printf 'standalone.sh: %s\n' "$*" >&2; }
fail() { # CODE MESSAGE…
    code=$1
    shift
    say "$@"
    exit "$code"
}

# shellcheck source=Sources/FreshMachine/machine.sh
. "$package/Sources/FreshMachine/machine.sh" || exit 1

# Everything that the launcher is made from. To ask a compiler for its version takes a tenth of a
# second, so only a program that chooses one is asked.
describe() {
    compiler=$(readlink -f -- "$(command -v swiftc)")
    case ${compiler##*/} in
        swiftc | swift-driver | swift-frontend) stat -c '%n %s %i %.9Z' -- "$compiler" ;;
        *) swiftc --version 2>&1 ;;
    esac
    find "$package/Package.swift" "$package/Sources" -type f -printf '%p %C@ %s %i\n' | LC_ALL=C sort
}

# With its own caches, so that a home directory is not needed, and without our handlers.
swift_build() {
    WEBSOCKETHOST_HANDLERS=none CLANG_MODULE_CACHE_PATH=$build/cache/clang exec swift build --package-path "$package" \
        --scratch-path "$build" --cache-path "$build/cache" --manifest-cache none \
        --configuration "$mode" "$@" 9>&-
}

# SwiftPM writes paths with these characters into files that it cannot read then.
check_place() {
    case $package in *\"* | *\\*) ;; *) return ;; esac
    quoted=$(printf '%s' "$package" | sed "s/'/'\\\\''/g")
    fail 1 "SwiftPM cannot build below a path with \" or \\ in it; move the checkout:" \
        "mv '$quoted' \"\$HOME/websockethost\""
}

build_launcher() {
    check_place
    case $mode in release | debug) ;; *) fail 2 "WEBSOCKETHOST_BUILD is 'release' or 'debug', not '$mode'" ;; esac
    prepare_machine
    mkdir -p -- "$build" 2>/dev/null && [ -w "$build" ] \
        || fail 1 "cannot write to $package/.build; the server is built there"
    # This shell has no other descriptor to lock with.
    [ "${LISTEN_PID-}" != $$ ] || [ "${LISTEN_FDS:-0}" -le 6 ] \
        || fail 1 "with more than 6 sockets of systemd nothing is built; build first: $0 build -o PROGRAM"
    exec 9>"$package/.build/standalone.lock"
    flock -n 9 || { say "waiting for another build in $package" && flock 9; }
    # Compiled modules name the place of the checkout, which may have been moved or copied.
    [ "$(cat "$build/place" 2>/dev/null)" = "$package" ] \
        || rm -rf -- "$build" "$package/.build/handlers"
    mkdir -p -- "$build" && printf '%s\n' "$package" >"$build/place" || exit 1
    say 'building the server'
    (swift_build --product launcher) >"$build/log" 2>&1 &
    swift=$!
    trap 'kill -INT $swift; wait $swift; exit 130' INT
    trap 'kill -INT $swift; wait $swift; exit 143' TERM HUP
    while sleep 0.2 && kill -0 "$swift" 2>/dev/null; do
        [ ! -t 2 ] || printf '\r\033[K%.79s' "$(tail -n 1 "$build/log")" >&2
    done
    [ ! -t 2 ] || printf '\r\033[K' >&2
    wait "$swift" || {
        grep -v '^\[' "$build/log" >&2
        fail 1 "the build failed; this is not a handler's fault"
    }
    trap - INT TERM HUP
    cp -f -- "$(swift_build --show-bin-path)/launcher" "$launcher.new" \
        && mv -f -- "$launcher.new" "$launcher" && printf '%s\n' "$made_from" >"$launcher.stamp" || exit 1
    exec 9>&-
}

case ${1-} in # at once, in a fresh clone too
    help | -h | --help) exec cat "$package/Sources/StandaloneProgram/help.txt" ;;
    --version)
        exec sed -n 's/.*version = "\(.*\)"$/WebSocketHost \1/p' \
            "$package/Sources/Logging/Product.swift"
        ;;
    test)
        shift
        find_swift && prepare_machine
        exec swift test --package-path "$package" "$@"
        ;;
esac
find_swift
made_from=$(describe)
[ -x "$launcher" ] && [ "$(cat "$launcher.stamp" 2>/dev/null)" = "$made_from" ] || build_launcher
STANDALONE_PACKAGE=$package STANDALONE_SCRIPT=$0 exec "$launcher" "$@"
