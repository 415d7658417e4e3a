# Part of run.sh: what is there for an author of handlers besides starting the server.

has() { [[ -e $1 ]]; }
lacks() { [[ ! -e $1 ]]; }
is() { [[ $output == "$1" ]]; }
errors_are() { [[ $(<errors.txt) == "$1" ]]; }
same() { cmp -s "$1" "$2"; }
rebuild() { # ARGS…; `output` is standard output alone
    output=$("$script" rebuild "$@" 2>errors.txt)
    code=$?
}

echo '# rebuild'
handler live/one_wsh.swift
handler live/two_wsh.swift
echo 'public let greeting = "hello"' >live/text.swift
rebuild -w live
check 'the first' is $'added\ttext.swift\nadded\tone_wsh.swift\nadded\ttwo_wsh.swift\ncore'
check 'builds' exits 0
check 'and is silent otherwise' errors_are ''
run -w live
check 'the binary is the one of a start' serves one one_wsh.swift
check 'which has nothing to build' says_not building
rebuild -w live
check 'nothing when nothing changed' is ''
handler live/one_wsh.swift 'print(socket, 2)'
handler live/new_wsh.swift
rm live/two_wsh.swift
echo 'public let greeting = "hi"' >live/text.swift
rebuild -w live
check 'what happened' is $'changed\ttext.swift\nadded\tnew_wsh.swift\nchanged\tone_wsh.swift\nremoved\ttwo_wsh.swift'
binary=$(echo package/.build/handlers/*/standalone | tr ' ' '\n' | xargs ls -t | head -n 1)
cp -- "$binary" before
handler live/one_wsh.swift 'print(missing)'
rebuild -w live --strict
check '--strict refuses' exits 4
check 'and says what is broken' is $'changed\tone_wsh.swift\nkept\tone_wsh.swift'
check 'and leaves the old binary' same "$binary" before
rebuild -w live
check 'otherwise it is left out' exits 0
check 'the change still is one' is $'changed\tone_wsh.swift\nkept\tone_wsh.swift'
check 'it was said already' errors_are ''
handler live/one_wsh.swift 'print(absent)'
rebuild -w live
check 'another error: its message and nothing else' errors_are \
    $'live/one_wsh.swift:4:11: error: cannot find \'absent\' in scope\n    print(absent)\n          ^~~~~~'
handler live/one_wsh.swift
rebuild -w live
check 'repaired' is $'changed\tone_wsh.swift'
handler live/one_wsh.swift 'print(missing)'
handler live/new_wsh.swift 'print(socket, 2)'
rebuild -w live
check 'a broken file and a good one' is $'changed\tnew_wsh.swift\nchanged\tone_wsh.swift\nkept\tone_wsh.swift'
output=$("$binary")
check 'what worked before is in the binary' serves one one_wsh.swift
rebuild -w live
check 'and stays there' is $'kept\tone_wsh.swift'
run -w live
check 'a start leaves it out' says '|one_wsh.swift|'
check 'with its message' says 'live/one_wsh.swift:4:11: error: '
check 'so it answers nothing' says_not '/one|one_wsh.swift|ok'
handler live/new_wsh.swift
rebuild -w live
check 'there is nothing to go back to now' is $'changed\tnew_wsh.swift\nbroken\tone_wsh.swift'
handler live/one_wsh.swift
echo 'public let greeting: Int = "hi"' >live/text.swift
rebuild -w live
check 'broken helper code stops a rebuild' exits 1
check 'which says so' [ "$(grep -c -e 'live/text.swift:1:' -e 'all handlers wait for the helper code' errors.txt)" = 2 ]
rebuild -w live
check 'again' [ "$(grep -c 'live/text.swift:1:' errors.txt)" = 1 ]
echo 'public let greeting = "hi"' >live/text.swift
rebuild -w live
check 'until it is what it was' is $'changed\tone_wsh.swift'
cp -- "$binary" before
echo 'let wrong: Int = ""' >package/Sources/launcher/wrong.swift
rebuild -w live
check "our own errors" exits 1
check 'leave the old binary' same "$binary" before
check 'and no news' is ''
rm package/Sources/launcher/wrong.swift
touch package/Sources/launcher/main.swift
"$script" rebuild -w live >/dev/null 2>&1 &
process=$!
sleep 0.5
kill "$process"
wait "$process"
code=$?
check 'a signal ends it' exits 143
check 'and leaves the old binary' same "$binary" before
rebuild -w live
check 'the next one builds' exits 0
handler live/one_wsh.swift 'print(socket, 3)'
rebuild -w live
check 'one file' is $'changed\tone_wsh.swift'

echo '# files that are no handlers'
mkdir odd
for name in a b c d e; do handler "odd/${name}_wsh.swift" "print(missing_$name)"; done
: >odd/empty_wsh.swift
printf '// Tries to be the program.\nimport WebSocketHost\n\n@main struct Server { static func main() {} }\n%s\n' \
    'public let handler = WebSocketHandler { _ in }' >odd/main_wsh.swift
printf 'import WebSocketHost\n@_cdecl("clash") public func clash() {}\n%s\n' \
    'public let handler = WebSocketHandler { _ in }' | tee odd/clash_wsh.swift >odd/crash_wsh.swift
printf 'import WebSocketHost\nprint(1)\npublic let handler = WebSocketHandler { _ in }\n' >odd/script_wsh.swift
printf 'import Shared\nimport WebSocketHost\npublic let handler = WebSocketHandler { _ in }\n' >odd/needs_wsh.swift
handler odd/good_wsh.swift
if ((EUID != 0)); then handler odd/secret_wsh.swift && chmod 0 odd/secret_wsh.swift; fi
run -w odd
for name in a b c d e; do check "five broken files, $name" says "odd/${name}_wsh.swift:4:11: error: cannot find "; done
check 'an empty one' says 'odd/empty_wsh.swift:1:1: error: the file exports no handler'
check '@main' says "odd/main_wsh.swift:4:1: error: '@main' has no place in a handler file"
check 'statements' says 'odd/script_wsh.swift:2:1: error: '
check 'no helper code' says "odd/needs_wsh.swift:1:8: error: no such module 'Shared'"
for name in clash crash; do
    check "two files with one symbol: $name" says "odd/${name}_wsh.swift:1:1: error: the file cannot be linked: "
done
if ((EUID != 0)); then check 'not to be read' says 'odd/secret_wsh.swift:1:1: error: the file cannot be read'; fi
check 'the others are served' serves good good_wsh.swift
check 'no folder of ours is named' says_not .build
handler odd/good_wsh.swift 'print(socket, 2)'
run -w odd
check 'what is broken is not tried again' says_not error:$'\n'
echo 'public let greeting = nothing' >odd/text.swift
run -w odd
check 'broken helper code' says 'odd/text.swift:1:23: error: '
check 'who waits for it' says 'left out until the helper code compiles, which they import: needs_wsh.swift'
echo 'public let greeting = "hello"' >odd/text.swift
run -w odd
check 'it waits no longer' serves needs needs_wsh.swift

echo '# new'
run new -w fresh chat
check 'writes a file' has fresh/chat_wsh.swift
check 'says where' says 'wrote fresh/chat_wsh.swift'
eval "words=($(sed -n 's/^Try it: //p' <<<"$output"))"
check 'and how to try it' [ "${words[*]}" = "$script -w fresh --watch" ]
run new --hooks all -w fresh game/room
check 'in a folder' has fresh/game/room_wsh.swift
echo mine >fresh/mine_wsh.swift
run new mine -w fresh
check 'never over a file' exits 1
check 'which is said' says 'fresh/mine_wsh.swift exists; nothing was written'
output=$(<fresh/mine_wsh.swift)
check 'nor touches it' is mine
ln -s nowhere fresh/link_wsh.swift
run new link -w fresh
check 'nor over a link' exits 1
for name in '' ../up /etc/x a/../b .hidden 'a b' 'a"b' $'a\nb' a//b -x; do
    run new -w fresh "$name"
    check "the name '$name'" [ "$code" -ne 0 ]
done
run new -w fresh --hooks most chat2
check 'bad hooks' exits 2

echo '# check'
handler checked/good_wsh.swift
run -w checked --check
check 'passes it on' says 'arguments: -w checked --check'
handler checked/bad_wsh.swift 'print(missing)'
run -w checked --check
check 'what is wrong' says 'checked/bad_wsh.swift:4:11: error: '
run -w checked --check
check 'each time' says 'checked/bad_wsh.swift:4:11: error: '

echo '# build'
run build -o program -w routes
check 'builds' has program
check 'says the size' says ' MB'
output=$(env -i ./program -p 3 2>&1)
check 'it runs alone' serves sub/two sub/two_wsh.swift
output=$(ldd program)
check 'with Swift in it' says_not libswift
cp program before
run build -o program -w broken --strict
check 'a broken handler' exits 4
check 'leaves the file' same program before
run build -o nowhere/program
check 'no such folder' exits 1
run build
check 'no file' exits 2
run -w routes
check 'the other build is not in its way' says_not 'building the server'

echo '# editor'
run editor helped
check 'writes the flags' has helped/compile_flags.txt
mapfile -t flags <helped/compile_flags.txt
output=$(cd helped && swiftc "${flags[@]}" -typecheck greet_wsh.swift 2>&1) && code=0 || code=1
check 'with which a file compiles' exits 0
echo mine >routes/compile_flags.txt
run editor routes
check "never over somebody else's" exits 1
