#!/usr/bin/env bash
# Compiles the handler files of a directory into the server and runs it:
#
#   ./standalone.sh -p 9998 -w handlers
#
# or compiles the client, without any handlers, and runs that:
#
#   ./standalone.sh client ws://localhost:9998/echo
#
# or writes a first handler file, builds a program for machines without Swift, or prepares an editor:
#
#   ./standalone.sh new first
#   ./standalone.sh build -o server -w handlers
#   ./standalone.sh editor DIR
#
# or runs the tests:
#
#   ./standalone.sh test
#
# The server calls `standalone.sh rebuild` with its own arguments when handler files changed: see
# Sources/StandaloneBuild/rebuild.sh.
#
# All arguments are the server's (./standalone.sh --help); this script looks only at those that say
# which files are handlers: -w, -s, --allow-handlers-outside-root-dir, --strict, also as variables
# (WEBSOCKETHOST_STRICT) and as keys in the file of --config. When nothing changed since the last run
# it starts the server at once.
#
# WEBSOCKETHOST_BUILD=debug builds without optimisation, for work on the server itself.
#
# Exit codes of this script: 1 the directory or the machine is not ready, or the build failed;
# 2 wrong arguments; 4 --strict and a handler does not compile. Afterwards it *is* the server, or the client.
set -uo pipefail

package=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
build=$package/.build/standalone # SwiftPM's folder, apart from that of a developer's `swift build`
mode=${WEBSOCKETHOST_BUILD:-release}

say() { printf 'standalone.sh: %s\n' "$*" >&2; }
note() { [[ $command == rebuild ]] || say "$@"; } # what a rebuild keeps to itself
fail() { # CODE MESSAGE…
    local code=$1
    shift
    say "$@"
    exit "$code"
}

# shellcheck source=Sources/FreshMachine/machine.sh
source "$package/Sources/FreshMachine/machine.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/prepare.sh
source "$package/Sources/StandaloneBuild/prepare.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/server.sh
source "$package/Sources/StandaloneBuild/server.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/compile.sh
source "$package/Sources/StandaloneBuild/compile.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/messages.sh
source "$package/Sources/StandaloneBuild/messages.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/rebuild.sh
source "$package/Sources/StandaloneBuild/rebuild.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/new.sh
source "$package/Sources/StandaloneBuild/new.sh" || exit 1
# shellcheck source=Sources/StandaloneBuild/release.sh
source "$package/Sources/StandaloneBuild/release.sh" || exit 1

# --- Arguments ------------------------------------------------------------------------------------

handlers_dir='' scan_dir='' config='' allows_outside='' is_strict='' is_check=''

# Notes the options that matter here. The others are skipped, with their values: the `-w` in
# `--log-file -w` is a file name.
read_arguments() {
    local name value attached
    while (($#)); do
        attached=no
        case $1 in
            --) return ;;
            --*=*) name=${1%%=*} value=${1#*=} attached=yes ;;
            --*) name=$1 value=${2-} ;;
            -t?*) # flags may be joined: -tw DIR
                set -- "-${1#-t}" "${@:2}"
                continue
                ;;
            -[a-zA-Z]?*) name=${1:0:2} value=${1:2} ;;
            *) name=$1 value=${2-} ;;
        esac
        case ${name//_/-} in
            --strict) [[ $attached == yes ]] || value=yes; is_strict=$value name='' ;;
            --check) is_check=yes name='' ;;
            --allow-handlers-outside-root-dir)
                [[ $attached == yes ]] || value=yes
                allows_outside=$value name=''
                ;;
            -w | --websock-handlers) handlers_dir=$value ;;
            -s | --scan-dir) scan_dir=$value ;;
            --config) config=$value ;;
            -[pHVPmdxkclq]) ;;
            --port | --server-host | --validation-host | --validation-port) ;;
            --websock-handlers-map-file | --document-root | --cgi-paths | --private-key) ;;
            --certificate | --tls-client-ca | --basic-auth-credential | --basic-auth-file | --log-* | --queue) ;;
            --deflate-log-level | --thread-monitor-interval-in-sec | --handler-encoding) ;;
            --threads | --origin | --cgi-max-* | --max-* | --ping-* | --*-timeout) ;;
            --compression | --compression-*) ;;
            *) name='' ;; # a flag: the next argument is not its value
        esac
        if [[ -n $name && ($1 == "$name") ]]; then
            case ${name//_/-} in
                -w | --websock-handlers | -s | --scan-dir)
                    [[ -n $value ]] || fail 2 "$name needs a directory"
                    ;;
            esac
            (($# > 1)) && shift
        fi
        shift
    done
}

# What the command line says wins, then the environment, then the configuration file.
read_environment() {
    handlers_dir=${handlers_dir:-${WEBSOCKETHOST_WEBSOCK_HANDLERS-}}
    scan_dir=${scan_dir:-${WEBSOCKETHOST_SCAN_DIR-}}
    is_strict=${is_strict:-${WEBSOCKETHOST_STRICT-}}
    allows_outside=${allows_outside:-${WEBSOCKETHOST_ALLOW_HANDLERS_OUTSIDE_ROOT_DIR-}}
    config=${config:-${WEBSOCKETHOST_CONFIG-}}
}

# The keys of a configuration file are the long options. Its paths are relative to it.
read_config() {
    local key value section=''
    [[ -f $config && -r $config ]] || return 0 # the server says what is wrong with it
    while IFS='=:' read -r key value || [[ -n $key ]]; do
        key=$(trim "$key") value=$(trim "$value")
        if [[ $key == \[*\] ]]; then
            section=${key//[[:space:]]/}
            continue
        fi
        [[ $section == '[pywebsocket]' || $section == '[websockethost]' ]] || continue
        key=${key,,}
        case ${key//-/_} in
            websock_handlers) handlers_dir=${handlers_dir:-$(beside_config "$value")} ;;
            scan_dir) scan_dir=${scan_dir:-$(beside_config "$value")} ;;
            strict) is_strict=${is_strict:-$value} ;;
            allow_handlers_outside_root_dir) allows_outside=${allows_outside:-$value} ;;
        esac
    done < <(sed '1s/^\xEF\xBB\xBF//' <"$config")
}
beside_config() {
    if [[ $1 != /* && -n $1 && $config == */* ]]; then printf '%s/%s' "${config%/*}" "$1"; else printf '%s' "$1"; fi
}
trim() { sed 's/^[[:space:]]*//; s/[[:space:]]*$//' <<<"$1"; }
is_true() { [[ ${1,,} =~ ^(true|yes|on|1)$ ]]; } # of another word the server says what is wrong

# Sets `root` and `scan` (real paths) and `shown` (the root as the author would type it).
find_directories() {
    shown=${handlers_dir:-$package/handlers}
    [[ -n $handlers_dir ]] || shown=${shown#"$PWD"/}
    if [[ ! -d $shown || ! -r $shown || ! -x $shown ]]; then
        local problem='is not a directory'
        [[ -e $shown ]] || problem='does not exist'
        [[ -d $shown ]] && problem='cannot be read'
        fail 1 "the handlers directory (-w) '$shown' $problem"
    fi
    while [[ $shown == */ && $shown != / ]]; do shown=${shown%/}; done
    root=$(CDPATH='' cd -P -- "$shown" && pwd)
    scan=$root
    [[ -n $scan_dir ]] || return 0
    [[ -d $scan_dir && -r $scan_dir && -x $scan_dir ]] \
        || fail 1 "the directory to scan (-s) '$scan_dir' does not exist or cannot be read"
    scan=$(CDPATH='' cd -P -- "$scan_dir" && pwd)
    [[ $scan/ == "${root%/}"/* ]] \
        || fail 1 "the directory to scan (-s) '$scan_dir' does not lie in the handlers directory (-w) '$shown'"
}

# --- The machine ----------------------------------------------------------------------------------

check_machine() {
    case $mode in release | debug) ;; *) fail 2 "WEBSOCKETHOST_BUILD is 'release' or 'debug', not '$mode'" ;; esac
    prepare_machine
}

# What tells one compiler from another. To ask it takes a tenth of a second.
describe_compiler() {
    local program real
    program=$(command -v swiftc) && real=$(readlink -f -- "$program") || return
    case ${real##*/} in
        swiftc | swift-driver | swift-frontend) stat -c '%n %s %i %.9Z' -- "$real" ;;
        *) swiftc --version 2>/dev/null ;; # a program that chooses one
    esac
}

# --- Build and run --------------------------------------------------------------------------------

# One build at a time in this checkout: SwiftPM's folder is shared by all handlers directories.
take_turn() {
    mkdir -p -- "$state" "$build" 2>/dev/null && [[ -w $state && -w $build ]] \
        || fail 1 "cannot write to $package/.build; the server is built there"
    exec {turn}>"$package/.build/standalone.lock" || exit 1
    command -v flock >/dev/null || return 0
    flock -n "$turn" && return
    note "waiting for another build in $package"
    flock "$turn"
}

# The stamp says what the binary was made from; between the two steps there is none.
install_product() {
    rm -f -- "$state/stamp"
    mv -f -- "$state/$product.new" "$state/$product" || exit 1 # a server may run the old one
    describe >"$state/stamp.new" && mv -f -- "$state/stamp.new" "$state/stamp" || exit 1
}

progress() {
    [[ $command != rebuild ]] || return 0
    if [[ -t 2 ]]; then
        printf '\r\033[K%.*s' "$((${COLUMNS:-80} - 1))" "$*" >&2
    else
        say "$*"
    fi
}
clear_progress() { [[ $command == rebuild || ! -t 2 ]] || printf '\r\033[K' >&2; }

# What the arguments say about handlers: `scan_handlers` then finds them.
choose_handlers() {
    read_arguments "$@"
    read_environment
    [[ -z $config ]] || read_config
    is_true "$is_strict" && is_strict=yes || is_strict=no
    is_true "$allows_outside" && allows_outside=yes || allows_outside=no
    find_directories
}

command=serve product=standalone kind=$mode build_options=()
case ${1-} in
    test)
        shift
        find_swift && prepare_machine
        exec swift test --package-path "$package" "$@"
        ;;
    client) product=client && shift ;;
    rebuild) command=rebuild && shift ;;
    new)
        shift
        new_handler "$@"
        exit
        ;;
    build)
        command=build
        shift
        read_build_arguments "$@"
        set -- ${build_arguments[@]+"${build_arguments[@]}"}
        ;;
    editor)
        [[ $# == 2 ]] || fail 2 "editor: the directory is missing: $0 editor DIR"
        command=editor
        set -- -w "$2"
        ;;
esac
[[ $product == client ]] || choose_handlers "$@"
find_swift
compiler=$(describe_compiler) || fail 1 "swiftc is not a Swift compiler: $(command -v swiftc)"
base=$package/.build/handlers/base-$kind
if [[ $product == client ]]; then
    state=$package/.build/handlers/client-$kind
    have_no_handlers
else
    state=$package/.build/handlers/$(digest "$root" "$scan" "$allows_outside" "$kind")
    [[ $command != rebuild || ${STANDALONE_BINARY-$state/$product} == "$state/$product" ]] \
        || fail 1 "the handlers directory is another one now ('$shown'): start the server anew"
    scan_handlers
fi
if ! is_up_to_date; then
    check_machine
    take_turn
    if ! is_up_to_date; then # the one we waited for may have built it
        if [[ $product == client ]]; then build_client; else build_server; fi
        [[ $command != rebuild ]] || report_changes
        [[ $command != rebuild || $is_strict != yes ]] || refuse_left_out # the old binary stays
        install_product
    fi
    [[ -z ${turn-} ]] || exec {turn}>&-
elif [[ $command == rebuild ]]; then
    report_broken
fi
[[ $is_strict != yes ]] || refuse_left_out
case $command in
    rebuild) exit 0 ;;
    build)
        deliver
        exit
        ;;
    editor)
        write_editor_flags
        exit
        ;;
esac
[[ $is_check != yes ]] || show_left_out
[[ $product == client ]] || name_for_supervisor
exec "$state/$product" "$@"
