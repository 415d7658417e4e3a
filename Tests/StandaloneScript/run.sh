#!/usr/bin/env bash
# Tests standalone.sh, the launcher behind it, Package.swift and the registry: the real ones, in a copy of the
# package in which the program and the client only print what they are given (stub/).
#
#   Tests/StandaloneScript/run.sh
#
# Takes some minutes. Prints a line per test; exit code 1 if one failed.
set -uo pipefail

here=$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")
project=$(dirname -- "$(dirname -- "$here")")
work=$(mktemp -d "${TMPDIR:-/tmp}/standalone's täst \$(x).XXXXXX") # it must not matter
trap 'rm -rf -- "$work"' EXIT

failed=0 output='' code=0 took=0

copy_package() { # TARGET
    mkdir -p -- "$1/handlers"
    cp -- "$project/Package.swift" "$project/standalone.sh" "$1"
    cp -r -- "$project/Sources" "$1"
    rm -rf -- "$1/Sources/client"
    cp -r -- "$here/stub/." "$1/Sources"
}

# Runs standalone.sh; sets `output` (both streams), `code` and `took` (milliseconds).
run() {
    local began=${EPOCHREALTIME/./}
    output=$("$script" "$@" 2>&1)
    code=$?
    took=$(((${EPOCHREALTIME/./} - began) / 1000))
}

check() { # NAME CONDITION…
    local name=$1
    shift
    if "$@"; then
        printf 'ok    %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s (exit code %s, %s ms): %s\n%s\n' "$name" "$code" "$took" "$*" "${output//$'\n'/$'\n'      }"
    fi
}
says() { [[ $'\n'$output$'\n' == *"$1"* ]]; }
says_not() { ! says "$1"; }
serves() { says $'\n'"/$1|$2|ok"$'\n'; } # ROUTE SOURCE
exits() { ((code == $1)); }
under() { ((took < $1)); }

handler() { # FILE [STATEMENT]
    mkdir -p -- "$(dirname -- "$1")"
    printf 'import WebSocketHost\n\npublic let handler = WebSocketHandler { socket in\n    %s\n}\n' \
        "${2:-print(socket)}" >"$1"
}

script=$work/package/standalone.sh
copy_package "$work/package"
cd -- "$work" || exit 1

echo '# before anything is built'
for word in help --help -h; do
    run "$word"
    check "$word" says 'usage: ./standalone.sh'
    check 'at once' under 2000
done
run --version
check 'the version' says 'WebSocketHost '
check 'nothing was built for it' [ ! -e package/.build ]

echo '# the first build, the second run, changes'
handler package/handlers/echo_wsh.swift
handler package/handlers/sub/echo_wsh.swift 'struct Echo {}; print(Echo())'
run -p 1 --log-level info
check 'builds and serves' serves echo echo_wsh.swift
check 'two files of one name' serves sub/echo sub/echo_wsh.swift
check 'passes the arguments on' says 'arguments: -p 1 --log-level info'
check 'shows progress' says 'standalone.sh: building 2 handlers of package/handlers'
check 'no warnings' says_not warning
check 'a cold build is done within 10 minutes' under 600000
run
check 'nothing is built when nothing changed' under 5000
check 'and says nothing' says_not 'standalone.sh:'
handler package/handlers/echo_wsh.swift 'print(socket, 2)'
run
check 'an edit builds one module, not all' under 15000
check 'is built' says building
handler package/handlers/new_wsh.swift
run
check 'an added file is noticed' serves new new_wsh.swift
rm package/handlers/new_wsh.swift
run
check 'a removed file is noticed' says_not '/new|'
STUB_EXIT=7 run
check "the exit code is the server's" exits 7

echo '# the client'
run client -p 1 ws://a/b
check 'builds the client' says 'standalone.sh: building the client'
check 'passes the arguments on, but for the first' says 'client: -p 1 ws://a/b'
check 'no warnings' says_not warning
run client
check 'nothing is built when nothing changed' under 5000
check 'and says nothing' says_not 'standalone.sh:'
run client --exit-5
check "the exit code is the client's" exits 5
echo 'typed' | "$script" client --read >client.txt 2>&1
output=$(<client.txt)
check 'it reads standard input' says 'read: typed'
handler package/handlers/bad_wsh.swift 'print(missing)'
WEBSOCKETHOST_STRICT=yes WEBSOCKETHOST_WEBSOCK_HANDLERS=nowhere run client -w nowhere --strict
check 'handlers are none of its business' says 'client: -w nowhere --strict'
check 'nor a reason to build' says_not 'standalone.sh:'
rm package/handlers/bad_wsh.swift
echo 'let wrong: Int = ""' >>package/Sources/client/wrong.swift
run client
check 'its own errors' says "Sources/client/wrong.swift:1:18: error: "
check 'end the run' exits 1
rm package/Sources/client/wrong.swift
run client
check 'a repaired client' says 'client: '
run
check 'the server is built beside it' serves echo echo_wsh.swift
run client
check 'and neither disturbs the other' says_not building

echo '# names'
names=(2fast-chat naïve class a-b a_b 'a b' Foundation WebSocketHost standalone Shared main "it's" 'a$b'
    '100%' 'x*' '' Swift self 日本 deep/er/class deep_er_class)
for name in "${names[@]}"; do handler "odd näme/${name}_wsh.swift"; done
handler 'odd näme/UPPER_WSH.swift'
handler 'odd näme/.hidden_wsh.swift'
handler $'odd näme/new\nline_wsh.swift'
echo 'hello' >'odd näme/README.txt'
mkdir -p 'odd näme/images' && echo png >'odd näme/images/a.png'
run -w 'odd näme'
for name in "${names[@]}"; do check "the name '$name'" serves "$name" "${name}_wsh.swift"; done
check 'the suffix is lower-case' says_not '/UPPER'
check 'dot-files are no handlers' says_not hidden
check 'a name with a line break is skipped' says "skipped"
check 'other files are no trouble' says_not warning

echo '# files that do not compile'
mkdir broken
handler broken/good_wsh.swift
handler broken/bad_wsh.swift 'print(missing)'
handler broken/sub/bad_wsh.swift 'let text: Int = "no"; print(text)'
printf 'import WebSocketHost\npublic let handler = WebSocketHandler { socket in\n' >broken/brace_wsh.swift
printf 'import WebSocketHost\nlet handler = WebSocketHandler { _ in }\n' >broken/internal_wsh.swift
printf 'import WebSocketHost\n' >broken/none_wsh.swift
printf 'import WebSocketHost\npublic let handler = 3\n' >broken/number_wsh.swift
handler broken/warn_wsh.swift
echo 'func warn() { let unused = 3 }' >>broken/warn_wsh.swift
run -w broken
check 'the others are served' serves good good_wsh.swift
check 'the message, with the path as typed' says $'\nbroken/bad_wsh.swift:4:11: error: cannot find '
check 'all of them are reported' says $'\nbroken/sub/bad_wsh.swift:4:21: error: '
check 'a missing brace' says 'broken/brace_wsh.swift:3:1: error: expected'
for name in none internal number; do
    check "no public handler ($name)" says "error: the file exports no handler"
done
check 'where it is, if it is there' says $'\nbroken/internal_wsh.swift:2:'

check 'the route knows why' says '/bad|bad_wsh.swift|bad_wsh.swift:4:11: error: cannot find '
check 'a warning is shown' says "broken/warn_wsh.swift:6:19: warning: "
check 'nothing but the handlers is named' says_not .build
run -w broken
check 'broken files are not tried again' under 5000
check 'a warning is shown once' says_not warning:
run -w broken --strict
check '--strict refuses' exits 4
check 'and says why again' says 'broken/bad_wsh.swift:4:11: error: '
check 'and serves nothing' says_not arguments:
handler broken/bad_wsh.swift
run -w broken
check 'a repaired file is served' serves bad bad_wsh.swift
check 'the others stay left out' says '/none|none_wsh.swift|none_wsh.swift:1:1: error:'

echo '# helper files'
handler helped/plain_wsh.swift
printf 'import Shared\nimport WebSocketHost\npublic let handler = WebSocketHandler { _ in print(greeting) }\n' \
    >helped/greet_wsh.swift
mkdir -p helped/util
echo 'public let greeting = "hello"' >helped/util/text.swift
echo 'func unused() {}' >helped/text.swift
echo 'func alsoUnused() {}' >helped/main.swift
run -w helped
check 'a handler imports Shared' serves greet greet_wsh.swift
check 'without noise' says_not warning
echo 'public let greeting = nothing' >helped/util/text.swift
run -w helped
check 'broken helper code: the message' says $'\nhelped/util/text.swift:1:23: error: '
check 'its users say so' says '/greet|greet_wsh.swift|helper code that it imports does not compile: '
check 'others are served' serves plain plain_wsh.swift
echo 'public let greeting = "hello again"' >helped/util/text.swift
run -w helped
check 'repaired helper code' serves greet greet_wsh.swift

echo '# arguments'
handler routes/one_wsh.swift
handler routes/sub/two_wsh.swift
run -w routes
for arguments in -wroutes '--websock-handlers routes' --websock-handlers=routes '--websock_handlers routes' \
    --websock_handlers=routes '-tw routes --tls-self-signed' '-H -w -w routes' '--log-file -w -w routes' '-p1 -w routes/' \
    '--max-message-size 3 -w ./routes'; do
    # shellcheck disable=SC2086 # several words
    run $arguments
    check "$arguments" serves sub/two sub/two_wsh.swift
done
printf '[pywebsocket]\nport = 1\nwebsock_handlers = routes\n' >server.ini
run --config server.ini
check 'a configuration file' serves sub/two sub/two_wsh.swift
mkdir -p etc/site
printf '; ours\r\n[websockethost]\r\nWebsock-Handlers : ../../routes\r\n' >etc/site/server.ini
run --config=etc/site/server.ini
check 'paths in it are relative to it' serves sub/two sub/two_wsh.swift
printf '[websockethost]\n# websock_handlers = nowhere\n' >other.ini
run --config other.ini -w routes
check 'a comment is left alone' serves sub/two sub/two_wsh.swift
printf '[other]\nwebsock_handlers = nowhere\n' >other.ini
run --config other.ini -w routes
check 'what is not our section is refused' exits 2
check 'before anything is built' says_not building
printf '[pywebsocket]\nwebsock_handlers = nowhere\nstrict = true\n' >weak.ini
run --config weak.ini -w routes
check 'the command line before the file' serves sub/two sub/two_wsh.swift
WEBSOCKETHOST_WEBSOCK_HANDLERS=routes run --config weak.ini
check 'the environment before the file' serves sub/two sub/two_wsh.swift
WEBSOCKETHOST_WEBSOCK_HANDLERS=nowhere run -w routes
check 'the command line before the environment' serves sub/two sub/two_wsh.swift
WEBSOCKETHOST_CONFIG=server.ini run
check 'a configuration file from the environment' serves sub/two sub/two_wsh.swift
run --config weak.ini -w broken
check 'strict in a file' exits 4
run --config weak.ini -w broken --strict=false
check 'unless the command line says otherwise' serves good good_wsh.swift
WEBSOCKETHOST_STRICT=no run --config weak.ini -w broken
check 'or the environment' serves good good_wsh.swift
run -w routes --scan-dir routes/sub
check 'routes stay relative to -w' serves sub/two sub/two_wsh.swift
check '--scan-dir leaves the others out' says_not '/one|'
mkdir routes-evil missing-rights
run -w routes -s routes-evil
check 'a scan directory elsewhere' exits 1
check 'is one clear line' says "'routes-evil' does not lie in the handlers directory (-w) 'routes'"
run -w nowhere
check 'a missing directory' exits 1
check 'is one clear line too' says "the handlers directory (-w) 'nowhere' does not exist"
run -w
check 'a missing value' exits 2

echo '# links'
handler outside/far_wsh.swift
ln -s ../outside/far_wsh.swift routes/far_wsh.swift
ln -s one_wsh.swift routes/near_wsh.swift
ln -s ../outside routes/linked
run -w routes
check 'a link to elsewhere is skipped' says_not '/far|'
check 'and that is said' says 'skipped routes/far_wsh.swift'
check 'a link inside is a handler' serves near near_wsh.swift
check 'directory links are not followed' says_not '/linked'
run -w routes --allow_handlers_outside_root_dir
check 'unless allowed' serves far far_wsh.swift
ln -s package/standalone.sh start
ln -s routes 'linked routes'
script=$work/start
run -w 'linked routes'
check 'through links' serves near near_wsh.swift
check 'which is nothing new' says_not building
script=$work/package/standalone.sh

# shellcheck source=Tests/StandaloneScript/author.sh
source "$here/author.sh"

echo '# two at once, signals, the machine'
handler first/one_wsh.swift
handler second/two_wsh.swift
"$script" -w first >first.txt 2>&1 &
"$script" -w second >second.txt 2>&1 &
wait
output=$(cat first.txt second.txt)
check 'one is served' serves one one_wsh.swift
check 'and the other' serves two two_wsh.swift
run -w first
check 'each has a binary of its own' says_not building
STUB_WAITS=yes "$script" -w first >/dev/null 2>&1 &
process=$!
sleep 1
kill "$process"
wait "$process"
code=$?
check 'the signal reaches the server' exits 143
PATH=/usr/bin:/bin run -w first
if PATH=/usr/bin:/bin command -v swiftc >/dev/null || [[ -d /opt/swift ]]; then check 'Swift is found' true; else
    check 'no Swift' says 'install Swift'
fi
handler first/three_wsh.swift
touch package/Package.swift
WEBSOCKETHOST_INSTALL=no PKG_CONFIG_LIBDIR=/nowhere run -w first
check 'no OpenSSL' says libssl-dev
HOME=/proc/nowhere run -w first
check 'no home directory' serves three three_wsh.swift
echo 'let wrong: Int = ""' >package/Sources/launcher/wrong.swift
run -w first
check "our own errors are nobody else's" says "Sources/launcher/wrong.swift:1:18: error: "
check 'and end the run' exits 1
rm package/Sources/launcher/wrong.swift
mv package moved
script=$work/moved/standalone.sh
run -w first
check 'a moved checkout' serves one one_wsh.swift
check 'without noise' says_not warning

mkdir -p 'the "moved"/Sources'
cp moved/standalone.sh 'the "moved"'
cp -r moved/Sources/FreshMachine 'the "moved"/Sources'
script='the "moved"/standalone.sh'
run -w first
check 'a place where SwiftPM cannot build' exits 1
check 'what to type' says "the \"moved\"' \"\$HOME/"

echo '# SwiftPM without standalone.sh'
rm -rf moved/.build/standalone
echo 'not compiled' >moved/handlers/README
echo 'public let greeting = "hello"' >moved/handlers/sub/text.swift
output=$(cd moved && swift build --product standalone 2>&1 && .build/debug/standalone) && code=0 || code=1
check 'swift build' serves sub/echo sub/echo_wsh.swift
check 'without noise' says_not warning
handler moved/handlers/bad_wsh.swift 'print(missing)'
mkdir -p app/Sources/App app/Sources/Shared
echo 'public let shared = 1' >app/Sources/Shared/Shared.swift
printf 'import Shared\nimport WebSocketHost\nlet handler = WebSocketHandler { _ in }\nprint("embedded")\n' \
    >app/Sources/App/main.swift
cat >app/Package.swift <<'SWIFT'
// swift-tools-version: 6.2
import PackageDescription
let package = Package(
    name: "App", dependencies: [.package(path: "../moved")],
    targets: [
        .target(name: "Shared"),
        .executableTarget(
            name: "App", dependencies: ["Shared", .product(name: "WebSocketHost", package: "moved")]),
    ])
SWIFT
output=$(cd app && swift run 2>&1) && code=0 || code=1
check "another package uses the library, our handlers are not in its way" says embedded

((failed == 0)) || { echo "$failed failed" && exit 1; }
