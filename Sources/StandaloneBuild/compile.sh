# Part of standalone.sh: runs `swift build`, shows its progress, and leaves out what does not compile.

build_product() {
    local began=$SECONDS count=${#handlers[@]}
    if [[ $product == client ]]; then
        progress 'building the client'
    else
        progress "building $count handler$( ((count == 1)) || printf s) of $shown"
    fi
    # Left by a checkout that was moved or copied: compiled modules name the old place.
    if [[ ! -e $build/.package || $(<"$build/.package") != "$package" ]]; then
        rm -rf -- "$build" && mkdir -p -- "$build" && printf '%s\n' "$package" >"$build/.package" || exit 1
    fi
    # SwiftPM stops at the first module that fails, so there may be several rounds.
    until run_swift_build; do
        sort_messages
        show_messages
        leave_out_failed || fail 1 "the build failed; this is not a handler's fault"
    done
    sort_messages
    show_messages
    progress "built in $((SECONDS - began)) s"
    clear_progress
}

# The stamp says what the binary was made from; between the two steps there is none.
install_product() {
    cp -f -- "$build/$mode/$product" "$state/$product.new" || exit 1
    rm -f -- "$state/stamp"
    mv -f -- "$state/$product.new" "$state/$product" || exit 1 # a server may run the old one
    describe >"$state/stamp.new" && mv -f -- "$state/stamp.new" "$state/stamp" || exit 1
}

# Its own caches, so that a home directory is not needed. The last variable is not read by anybody:
# SwiftPM looks at Package.swift again when the environment changes, here with the list of files.
run_swift_build() {
    local process shown_at=$SECONDS step last='' began=$SECONDS
    WEBSOCKETHOST_HANDLERS=.build/handlers/${state##*/} \
        WEBSOCKETHOST_HANDLERS_LIST=$(digest "${handlers[@]-}" "${helpers[@]-}") \
        swift build --package-path "$package" --scratch-path "$build" --cache-path "$build/cache" \
        --configuration "$mode" --product "$product" -Xswiftc -diagnostic-style=llvm \
        >"$state/log" 2>&1 {turn}>&- &
    process=$!
    trap 'stop_swift_build "$process"; exit 130' INT
    trap 'stop_swift_build "$process"; exit 143' TERM HUP
    while kill -0 "$process" 2>/dev/null; do
        sleep 0.1
        ((SECONDS > shown_at)) || continue
        step=$(grep -E '^\[[0-9]+/[0-9]+\] ' "$state/log" | tail -n 1)
        # On a terminal one line that counts the seconds; elsewhere a line now and then.
        if [[ -t 2 ]] || { ((SECONDS >= shown_at + 10)) && [[ $step != "$last" ]]; }; then
            progress "${step:-planning} ($((SECONDS - began)) s)"
            shown_at=$SECONDS last=$step
        fi
    done
    trap - INT TERM HUP
    wait "$process"
}

# SIGINT makes SwiftPM stop its compilers too; SIGTERM would leave them running.
stop_swift_build() { # PROCESS
    local tick
    kill -INT "$1" 2>/dev/null
    for ((tick = 0; tick < 30; tick++)); do
        kill -0 "$1" 2>/dev/null || return 0
        sleep 0.1
    done
    kill -KILL "$1" 2>/dev/null
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

# --- Messages -------------------------------------------------------------------------------------

# Sorts the compiler's output by the handler or helper file that is to blame: `messages` has the
# text, `failed` the files with errors, `unowned` what belongs to none.
sort_messages() {
    local line owner='' is_export=no pattern
    declare -gA messages=() failed=()
    unowned=''
    pattern='^(/.*):[0-9]+:[0-9]+: (error|warning|note|remark): '
    while IFS= read -r line || [[ -n $line ]]; do
        is_chatter "$line" && continue
        # `#sourceLocation` does not reach to the very end of a file, where a missing brace is noticed.
        if [[ $line =~ ^"$state/modules/"(.*)/handler\.swift:([0-9]+)(:[0-9]+:\ .*) ]]; then
            line=$root/${BASH_REMATCH[1]}:$((BASH_REMATCH[2] - 1))${BASH_REMATCH[3]}
        elif [[ $line =~ ^"$state/Shared/"([^/:]*)(:[0-9]+:[0-9]+:\ .*) ]]; then
            line=$root/${helper_of[${BASH_REMATCH[1]}]-}${BASH_REMATCH[2]}
        fi
        if [[ $line =~ $pattern && ${BASH_REMATCH[2]} != note ]]; then
            find_owner "${BASH_REMATCH[1]}"
            [[ ${BASH_REMATCH[2]} != error || -z $owner ]] || failed[$owner]=yes
        fi
        [[ $is_export == yes ]] && continue # said below, in other words
        if [[ -n $owner ]]; then messages[$owner]+=$line$'\n'; else unowned+=$line$'\n'; fi
    done <"$state/log"
    if ((${#failed[@]} == 0)) && grep -qF 'Stack dump:' "$state/log"; then # the compiler crashed
        owner=$(grep -oE 'modules/.*_wsh\.swift/handler\.swift' "$state/log" | head -n 1)
        owner=${owner#modules/} owner=${owner%/handler.swift}
        [[ -z $owner ]] || failed[$owner]=yes messages[$owner]="$root/$owner:1:1: error: the compiler crashed"$'\n'
    fi
    for owner in "${!failed[@]}"; do
        [[ -n ${messages[$owner]-} ]] || messages[$owner]="$root/$owner:1:1: error: the file exports no \
handler: it needs 'public let handler = WebSocketHandler { … }'"$'\n'
    done
}

# Sets `owner` and `is_export`.
find_owner() { # FILE
    owner='' is_export=no
    case $1 in
        "$state/modules/"*/export.swift)
            owner=${1#"$state/modules/"} owner=${owner%/export.swift} is_export=yes
            ;;
        "${root%/}"/*) [[ -z ${fingerprint[${1#"${root%/}"/}]-} ]] || owner=${1#"${root%/}"/} ;;
    esac
}

is_chatter() {
    case $1 in
        '['[0-9]*/*']'* | 'Building for '* | 'Build complete!'* | 'Build of product '* | 'Planning '*) return 0 ;;
        'error: emit-module command failed'* | 'error: compile command failed due to exit'*) return 0 ;;
        'error: fatalError' | 'error: ExitCode('* | '') return 0 ;;
    esac
    return 1
}

show_messages() {
    local owner text=$unowned
    while IFS= read -r owner; do
        [[ -z $owner ]] || text+=${messages[$owner]}
    done < <(printf '%s\n' "${!messages[@]}" | LC_ALL=C sort)
    [[ -n $text ]] || return 0
    clear_progress
    printf '%s' "$text" | shorten >&2
    [[ ${#failed[@]} == 0 ]] || has_shown_messages=yes
}

# The author's files are named as -w names the directory.
shorten() {
    local line
    while IFS= read -r line; do printf '%s\n' "${line//"${root%/}/"/"$shown/"}"; done
}

leave_out_failed() {
    local path helper=''
    ((${#failed[@]})) || return 1
    for path in "${!failed[@]}"; do
        [[ $path == *_wsh.swift ]] || { helper=$path && continue; }
        leave_out "$path" "${messages[$path]%$'\n'}"
    done
    [[ -z $helper ]] || leave_out_helpers "$helper"
}

# No helper code at all, and no handler that imports it.
leave_out_helpers() { # FILE
    local path copy
    mkdir -p -- "$state/messages"
    printf '%s' "${messages[$1]}" >"$state/messages/Shared"
    for copy in "$state/Shared"/*; do printf '// left out\n' | write "$copy" || exit 1; done
    for path in ${handlers[@]+"${handlers[@]}"}; do
        grep -Eq '^[[:space:]]*(@?[A-Za-z_]+[[:space:]]+)*import[[:space:]]+(.*[[:space:]])?Shared' \
            "$state/modules/$path/handler.swift" || continue
        leave_out "$path" "helper code that it imports does not compile: ${messages[$1]%$'\n'}"
    done
}
