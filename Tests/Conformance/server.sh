# Sourced: starts and stops the server under test. The one who sources it sets `project` and `log`.
#
# WEBSOCKETHOST_COMMAND names another command than standalone.sh.
# shellcheck shell=bash

server='' port=''
trap stop_server EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Sets `port`. The time limit is for the first build.
start_server() { # OPTION…
    local deadline=$((SECONDS + 900))
    mkdir -p "$(dirname -- "$log")" && : >"$log" || exit 2 # the last server's port must not be read
    # shellcheck disable=SC2086 # a command with arguments
    ${WEBSOCKETHOST_COMMAND:-"$project/standalone.sh"} -p 0 -H 127.0.0.1 --log-level warning "$@" >"$log" 2>&1 &
    server=$!
    while ((SECONDS < deadline)) && kill -0 "$server" 2>/dev/null; do
        port=$(sed -n 's/^listening on 127\.0\.0\.1:\([0-9]*\);.*/\1/p' "$log")
        [[ -z $port ]] || return 0
        sleep 0.1
    done
    echo "the server did not start:" >&2
    cat "$log" >&2
    exit 2
}

stop_server() {
    [[ -n $server ]] || return 0
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=''
}
