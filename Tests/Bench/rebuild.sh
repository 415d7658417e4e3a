#!/usr/bin/env bash
# How long an author waits: from a saved handler file to a new binary, with 1 and with 50 handlers.
#
#   Tests/Bench/rebuild.sh [EDITS]      default 20 edits each
#
# Prints the median, the 95th percentile and the maximum of `standalone.sh rebuild`, in milliseconds.
set -uo pipefail

package=$(dirname -- "$(dirname -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")")")
edits=${1:-20}
work=$(mktemp -d "${TMPDIR:-/tmp}/rebuild.XXXXXX")
trap 'rm -rf -- "$work"' EXIT

write_handler() { # FILE NUMBER
    printf 'import WebSocketHost\n\npublic let handler = WebSocketHandler { socket in\n' >"$1"
    printf '    for try await case .text(let text) in socket {\n' >>"$1"
    printf '        try await socket.send("%s \\(text)")\n    }\n}\n' "$2" >>"$1"
}

measure() { # COUNT
    local folder=$work/$1 number began times
    mkdir -p -- "$folder"
    for ((number = 1; number <= $1; number++)); do write_handler "$folder/h${number}_wsh.swift" 0; done
    "$package/standalone.sh" rebuild -w "$folder" >/dev/null || return
    times=$(
        for ((number = 1; number <= edits; number++)); do
            write_handler "$folder/h1_wsh.swift" "$number"
            began=${EPOCHREALTIME/[.,]/}
            "$package/standalone.sh" rebuild -w "$folder" >/dev/null || exit 1
            echo $(((${EPOCHREALTIME/[.,]/} - began) / 1000))
        done | sort -n
    )
    mapfile -t times <<<"$times"
    printf '%s handlers: median %s ms, p95 %s ms, maximum %s ms\n' "$1" \
        "${times[edits / 2]}" "${times[edits * 95 / 100]}" "${times[-1]}"
}

measure 1 && measure 50
