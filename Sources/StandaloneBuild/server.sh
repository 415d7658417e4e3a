# Part of standalone.sh: builds the server without the author's handlers, with `swift build`, and
# notes how SwiftPM compiles a handler module and links the program.
#
#   .build/handlers/base-release/
#       modules/sample_wsh.swift/   a handler, from which the commands are taken
#       handler.flags, main.flags   the compiler's options for a handler module, for the program
#       link.flags, objects         those for linking, and the server's own object files
#       swift                       where the toolchain is, if its runtime can go into the program
#       stamp                       what it was built from: see `describe_core`

# Sets `generator`, the program that writes the list of handlers. Builds only if the server's own
# sources or the compiler changed.
build_base() {
    local stamp=''
    check_place
    [[ ! -r $base/stamp ]] || { IFS= read -r stamp && IFS= read -r bin; } <"$base/stamp"
    generator=${bin-}/RegistryGenerator-tool
    [[ $stamp != "$core" || ! -x $generator ]] || return 0
    mkdir -p -- "$base" && rm -f -- "$base/stamp" || exit 1
    progress 'building the server'
    write_sample
    run_swift_build "$product" || stop_for_own_errors
    show_own_messages
    record_commands
    printf '%s\n%s\n' "$core" "$bin" >"$base/stamp.new" && mv -f -- "$base/stamp.new" "$base/stamp" || exit 1
}

# The client has no handlers; the sample only saves SwiftPM from planning anew.
build_client() {
    check_place
    mkdir -p -- "$base" || exit 1
    progress 'building the client'
    write_sample
    run_swift_build "$product" || stop_for_own_errors
    show_own_messages
    clear_progress
    cp -f -- "$build/$mode/$product" "$state/$product.new" || exit 1
}

write_sample() {
    local folder=$base/modules/sample_wsh.swift
    mkdir -p -- "$folder" || exit 1
    printf 'import WebSocketHost\n\npublic let handler = WebSocketHandler { _ in }\n' | write "$folder/handler.swift"
    write_export "$folder"
}

# Compiled modules name the place of the checkout, which may have been moved or copied. The number
# changes when what lies there from an older standalone.sh must go.
check_place() {
    [[ -e $build/.package && $(<"$build/.package") == "2 $package" ]] && return
    rm -rf -- "$build" "$base" && mkdir -p -- "$build" && printf '2 %s\n' "$package" >"$build/.package" || exit 1
}

# Its own caches, so that a home directory is not needed; not what Package.swift said some time ago.
run_swift_build() { # PRODUCT
    local process shown_at=$SECONDS step last='' began=$SECONDS
    WEBSOCKETHOST_HANDLERS=.build/handlers/${base##*/} \
        swift build --package-path "$package" --scratch-path "$build" --cache-path "$build/cache" \
        --manifest-cache none --build-system native --configuration "$mode" --product "$1" \
        -Xswiftc -diagnostic-style=llvm ${build_options[@]+"${build_options[@]}"} >"$base/log" 2>&1 {turn}>&- &
    process=$!
    trap 'stop_swift_build "$process"; exit 130' INT
    trap 'stop_swift_build "$process"; exit 143' TERM HUP
    while kill -0 "$process" 2>/dev/null; do
        sleep 0.1
        ((SECONDS > shown_at)) || continue
        step=$(grep -E '^\[[0-9]+/[0-9]+\] ' "$base/log" | tail -n 1)
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

show_own_messages() {
    local line text=''
    while IFS= read -r line || [[ -n $line ]]; do
        is_chatter "$line" || text+=$line$'\n'
    done <"$base/log"
    [[ -n $text ]] || return 0
    clear_progress
    printf '%s' "$text" >&2
}
is_chatter() {
    case $1 in
        '['[0-9]*/*']'* | 'Building for '* | 'Build complete!'* | 'Build of product '* | 'Planning '*) return 0 ;;
        'error: emit-module command failed'* | 'error: compile command failed due to exit'*) return 0 ;;
        'error: fatalError' | 'error: ExitCode('* | '') return 0 ;;
    esac
    return 1
}

stop_for_own_errors() {
    show_own_messages
    fail 1 "the build failed; this is not a handler's fault"
}

# --- Commands -------------------------------------------------------------------------------------

# SwiftPM keeps its commands in a file: of each, one line with a JSON array of the arguments.
record_commands() {
    local plan=$build/$mode.yaml list
    bin=$(readlink -f -- "$build/$mode") || exit 1
    generator=$bin/RegistryGenerator-tool
    record_flags "$plan" handler '"-module-name","sample_wsh","-emit-dependencies"' \
        -Xfrontend -entry-point-function-name -Xfrontend handler_file_main
    record_flags "$plan" main '"-module-name","standalone","-emit-dependencies"'
    record_flags "$plan" link '/standalone","-module-name","standalone",' \
        -module-name standalone -emit-executable
    find_runtime
    list=$bin/standalone.product/Objects.LinkFileList
    grep -vE '/(sample_wsh|standalone)\.build/' "$list" >"$base/objects" \
        || fail 1 "'swift build' left no list of object files: $list"
}

# Whether the toolchain has its runtime in the form that can be linked into a program, and the linker that is
# quick with so much.
find_runtime() {
    local runtime
    rm -f -- "$base/swift"
    runtime=$(swiftc -print-target-info 2>/dev/null | sed -n 's/.*"runtimeResourcePath": *"\(.*\)".*/\1/p')
    [[ $runtime == */lib/swift && -d ${runtime}_static && -x ${runtime%/lib/swift}/bin/ld.lld ]] || return 0
    printf '%s\n' "${runtime%/lib/swift}" >"$base/swift"
}

# Leaves out what names this module and its files, and what only SwiftPM wants to know.
record_flags() { # PLAN ROLE PATTERN MORE…
    local line argument skips=no target=$base/$2.flags
    line=$(grep -F -m 1 -- "$3" "$1") || fail 1 "'swift build' left no command for '$2' in $1"
    line=${line#*'["'} line=${line%'"]'*}
    line=${line//'","'/$'\n'}
    line=${line//'\"'/'"'} line=${line//'\\'/'\'}
    while IFS= read -r argument; do
        if [[ $skips == yes ]]; then
            skips=no
            continue
        fi
        case $argument in
            -module-name | -emit-module-path | -output-file-map | -emit-objc-header-path) skips=yes ;;
            -index-store-path | -num-threads | -o) skips=yes ;;
            */swiftc | @* | -c | -j* | -emit-dependencies | -emit-module | -emit-objc-header | -emit-executable) ;;
            -serialize-diagnostics | -parseable-output | -incremental | -enable-batch-mode) ;;
            -whole-module-optimization) ;; # `compile_module` says it
            *) printf '%s\n' "$argument" ;;
        esac
    done <<<"$line" >"$target" || exit 1
    shift 3
    (($# == 0)) || printf '%s\n' "$@" >>"$target"
}
