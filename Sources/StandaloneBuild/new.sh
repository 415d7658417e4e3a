# Part of standalone.sh: writes a first handler file.
#
#   standalone.sh new [-w DIR] [--hooks all] NAME
#
# NAME is the route without its first slash: `first` is DIR/first_wsh.swift and answers at /first,
# `game/room` is DIR/game/room_wsh.swift. Exit code 1: a bad name, or the file exists; 2: wrong arguments.

new_handler() { # ARGS…
    local folder=${WEBSOCKETHOST_WEBSOCK_HANDLERS-} name='' hooks=one file options=''
    while (($#)); do
        case $1 in
            -w | --websock-handlers | --websock_handlers | --hooks)
                [[ -n ${2-} ]] || fail 2 "$1 needs a value"
                [[ $1 == --hooks ]] && hooks=$2 || folder=$2
                shift
                ;;
            -w?*) folder=${1#-w} ;;
            --websock[-_]handlers=?*) folder=${1#*=} ;;
            --hooks=*) hooks=${1#*=} ;;
            -*) fail 2 "new: '$1' is not an option; it is: $0 new [-w DIR] [--hooks all] NAME" ;;
            *)
                [[ -z $name ]] || fail 2 "new: one name at a time, not '$name' and '$1'"
                name=$1
                ;;
        esac
        shift
    done
    [[ $hooks == one || $hooks == all ]] || fail 2 "new: --hooks is 'all' or left out, not '$hooks'"
    [[ -n $name ]] || fail 2 "new: the name is missing: $0 new first"
    name=${name%.swift} name=${name%_wsh}
    [[ $name =~ ^[A-Za-z0-9_][A-Za-z0-9_-]*(/[A-Za-z0-9_][A-Za-z0-9_-]*)*$ && ${#name} -le 200 ]] \
        || fail 1 "new: '$name' is no name for a handler: letters a-z, digits, - and _, in folders" \
            "with / between them, such as game/room"
    [[ -z $folder ]] || options=" -w $(printf '%q' "$folder")"
    if [[ -z $folder ]]; then
        folder=$package/handlers
        folder=${folder#"$PWD"/}
    fi
    while [[ $folder == */ && $folder != / ]]; do folder=${folder%/}; done
    file=$folder/${name}_wsh.swift
    [[ ! -e $file && ! -L $file ]] || fail 1 "new: $file exists; nothing was written"
    mkdir -p -- "$(dirname -- "$file")" || exit 1
    # Never over a file, not even over one that came this moment.
    (set -o noclobber && template "$hooks" "$name" >"$file") || fail 1 "new: cannot write $file"
    printf 'wrote %s\n\nTry it: %s%s --watch\nthen open http://localhost:9998/ and connect to /%s' \
        "$file" "$0" "$options" "$name"
    printf ' (ws://localhost:9998/%s).\nSave the file, and the next connection runs the new code.\n' "$name"
}

template() { # HOOKS NAME
    if [[ $1 == all ]]; then template_all "$2"; else template_one "$2"; fi
}

template_one() { # NAME
    cat <<SWIFT
import WebSocketHost

/// Answers at ws://localhost:9998/$1, one call for each connection.
public let handler = WebSocketHandler { socket in
    // A variable here belongs to this connection. What connections share is an actor, or a Mutex
    // in a \`let\` outside.
    var count = 0
    for try await case .text(let text) in socket {
        count += 1
        try await socket.send("message \(count): \(text)")
    }
    // Returning closes the connection with 1000, an error that is thrown closes it with 1011.
}
SWIFT
}

template_all() { # NAME
    cat <<SWIFT
import WebSocketHost

/// Answers at ws://localhost:9998/$1. The three hooks are called in this order.
public let handler = WebSocketHandler(
    doExtraHandshake: { request in
        // Before the connection is open: look at the request, and refuse it if need be. What is
        // returned is the second parameter of the next hook. Try ?name=Ada behind the address.
        let name = request.query["name"] ?? "stranger"
        guard name.count <= 20 else {
            throw HandshakeRejection(.forbidden, body: "The name is too long.")
        }
        return name
    },
    transferData: { socket, name in
        // The conversation. Returning closes with 1000, an error that is thrown closes with 1011.
        try await socket.send("Hello, \(name).")
        for try await message in socket {
            switch message {
            case .text(let text): try await socket.send("You said: \(text)")
            case .binary(let bytes): try await socket.send("You sent \(bytes.count) bytes")
            }
        }
    },
    passiveClosingHandshake: { close in
        // The client closed first: what it gets as the answer, here its own code and reason.
        close
    }
)
SWIFT
}
