# Part of standalone.sh: compiles the handler files, each by itself, and links them with the server.
#
# A file that was compiled is not compiled again until it, the helper code or the server changes.
# Files are compiled side by side, and one that fails is left out: it keeps no other from being
# compiled, so all errors of all files are seen at once. The commands are SwiftPM's: see server.sh.

# Leaves the new binary in `$state/standalone.new`.
build_server() {
    local began=${EPOCHREALTIME/[.,]/} count=${#handlers[@]}
    build_base
    prepare_handlers
    progress "building $count handler$( ((count == 1)) || printf s) of $shown"
    mkdir -p -- "$objects" || exit 1
    trap 'stop_compilers; exit 130' INT
    trap 'stop_compilers; exit 143' TERM HUP
    compile_helpers
    [[ $command != rebuild || $helpers_fail == no ]] || wait_for_helpers
    compile_handlers
    show_messages
    until compile_main; do # another round only if the linker blames handlers
        show_messages
    done
    trap - INT TERM HUP
    began=$(((${EPOCHREALTIME/[.,]/} - began) / 100000))
    progress "built in $((began / 10)).$((began % 10)) s"
    clear_progress
}

# --- Modules --------------------------------------------------------------------------------------

# Compiles a module into `$objects`. What it said is in `$objects/NAME.log`. First into a folder of
# its own: a compiler whose parent was killed writes on.
compile_module() { # NAME ROLE SOURCE…
    local name=$1 work=$objects/$1.$BASHPID
    local -a flags
    mapfile -t flags <"$base/$2.flags"
    shift 2
    mkdir -p -- "$work" || return 1
    swiftc -I "$objects" "${flags[@]}" -module-name "$name" \
        -file-compilation-dir / -whole-module-optimization -emit-module -emit-module-path "$work/$name.swiftmodule" \
        -c "$@" -o "$work/$name.o" >"$objects/$name.log" 2>&1 {turn}>&- &&
        mv -f -- "$work/$name".{swiftmodule,o} "$objects"
    local code=$?
    rm -rf -- "$work"
    return "$code"
}

compile_helpers() {
    helpers_fail=no
    if ((${#helpers[@]} == 0)); then
        rm -f -- "$objects"/Shared.*
        return
    fi
    [[ ! -e $objects/Shared.o ]] || return 0
    if [[ -e $state/messages/Shared ]]; then # as it was
        helpers_fail=yes
        return
    fi
    compile_module Shared handler "$state/Shared"/*.swift &
    wait "$!" || helpers_fail=yes
    sort_messages "$objects/Shared.log" ''
    [[ $helpers_fail == no ]] || keep_message Shared "$(blamed_on_helpers)"
}

# Beside a server that runs: it goes on as it is.
wait_for_helpers() {
    clear_progress
    shorten <"$state/messages/Shared" >&2
    fail 1 'all handlers wait for the helper code to compile'
}

# Those without an object file, as many at a time as there are processors.
compile_handlers() {
    local path name job_count running=0 done_count=0
    local -a todo=()
    job_count=$(nproc 2>/dev/null || echo 2)
    for path in ${handlers[@]+"${handlers[@]}"}; do
        [[ -e $objects/${module_of[$path]}.o ]] || todo+=("$path")
    done
    for path in ${todo[@]+"${todo[@]}"}; do
        if ((running == job_count)); then
            wait -n
            running=$((running - 1)) done_count=$((done_count + 1))
            [[ ! -t 2 ]] || progress "compiled $done_count of ${#todo[@]} handlers of $shown"
        fi
        compile_module "${module_of[$path]}" handler "$state/modules/$path"/{handler,export}.swift &
        running=$((running + 1))
    done
    wait
    for path in ${todo[@]+"${todo[@]}"}; do
        name=${module_of[$path]}
        sort_messages "$objects/$name.log" "$path"
        [[ -e $objects/$name.o ]] || explain "$path"
        ! has_main "$path" || messages[$path]+=$(main_message "$path")$'\n'
        if [[ -e $objects/$name.o && ! ${messages[$path]-} =~ ': error: ' ]]; then
            rm -rf -- "$objects/$name".{kept,good}
            continue
        fi
        restore_good "$path" || leave_out "$path" "${messages[$path]%$'\n'}"
    done
    compile_stand_ins "$job_count"
}

# They are small, and there are few.
compile_stand_ins() { # COUNT
    local path running=0
    for path in ${handlers[@]+"${handlers[@]}"}; do
        [[ ! -e $objects/${module_of[$path]}.o ]] || continue
        ((running < $1)) || { wait -n && running=$((running - 1)); }
        compile_module "${module_of[$path]}" handler "$state/modules/$path"/{handler,export}.swift &
        running=$((running + 1))
    done
    wait
}

# The list of all handlers, and the program. False if the linker blames handlers: they are left out.
compile_main() {
    local path
    local -a objects_of_handlers=() arguments=()
    for path in ${handlers[@]+"${handlers[@]}"}; do
        arguments+=("${module_of[$path]}" "$state/modules/$path/handler.swift")
        objects_of_handlers+=("$objects/${module_of[$path]}.o")
    done
    [[ ! -e $objects/Shared.o ]] || objects_of_handlers+=("$objects/Shared.o")
    "$generator" "$state/Registry.swift" "$state/modules" ${arguments[@]+"${arguments[@]}"} \
        || fail 1 'the list of handlers cannot be written'
    compile_module standalone main "$package/Sources/standalone/main.swift" "$state/Registry.swift" &
    wait "$!" || give_up standalone
    # One per line, quoted as the compiler driver's response files want it.
    {
        cat -- "$base/objects"
        for path in "$objects/standalone.o" ${objects_of_handlers[@]+"${objects_of_handlers[@]}"}; do
            path=${path//\\/\\\\}
            printf '"%s"\n' "${path//\"/\\\"}"
        done
    } >"$state/link" || exit 1
    link_with_runtime || link_program && return
    blame_linked_handlers || give_up link
    compile_stand_ins 2
    return 1
}

link_program() { # MORE-FLAGS…
    local -a flags
    mapfile -t flags <"$base/link.flags"
    swiftc "${flags[@]}" "$@" @"$state/link" -o "$state/$product.new" >"$objects/link.log" 2>&1 {turn}>&- &
    wait "$!"
}

# With Swift's runtime in the program: handshakes are a twentieth faster. Not with Foundation, which would have to be
# compiled for it and makes the program three times as long. What cannot be linked so (a library that is
# there in one form only) is linked as usual. lld is quickest when it does not look for texts that are there twice.
link_with_runtime() {
    [[ -e $base/swift && $kind == "$mode" ]] || return
    ! grep -qsF -- -lFoundation ${objects_of_handlers[@]+"${objects_of_handlers[@]}"} /dev/null || return
    link_program -static-stdlib -use-ld=lld -Xlinker -O0
}

# Two files with one `@_cdecl` symbol, or one that wants a symbol that is nowhere.
blame_linked_handlers() {
    local path reason is_blamed=no
    reason=$(grep -m 1 -oE "(multiple definition|duplicate symbol|undefined (reference|symbol)).*" "$objects/link.log")
    for path in ${handlers[@]+"${handlers[@]}"}; do
        grep -qF "/${module_of[$path]}.o" "$objects/link.log" && [[ ! -e $state/messages/$path ]] || continue
        messages[$path]="$root/$path:1:1: error: the file cannot be linked: ${reason:-the linker failed}"$'\n'
        leave_out "$path" "${messages[$path]%$'\n'}"
        is_blamed=yes
    done
    [[ $is_blamed == yes ]]
}

# Not a handler's fault.
give_up() { # LOG
    clear_progress
    shorten <"$objects/$1.log" >&2
    fail 1 'the build failed; this is not a handler'\''s fault'
}

# The folders they write to are abandoned: one that works on does no harm.
stop_compilers() {
    local -a processes
    mapfile -t processes < <(jobs -p)
    ((${#processes[@]} == 0)) || kill -- "${processes[@]}" 2>/dev/null
}

# `@main` in a module: the flags give its entry point a name that nobody calls.
has_main() { grep -qsF handler_file_main "$objects/${module_of[$1]}.o"; }
main_message() {
    local line
    line=$(grep -nE '@main' "$root/$1" | head -n 1 | cut -d : -f 1)
    printf "%s:%s:1: error: '@main' has no place in a handler file: the server is the program" "$root/$1" "${line:-1}"
}
