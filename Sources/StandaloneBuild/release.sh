# Part of standalone.sh: what it leaves for other places than this checkout.
#
#   standalone.sh build -o FILE [ARGS…]     one program with the handlers in it, the Swift runtime too:
#                                           runs where there is no Swift, with the server's options
#   standalone.sh editor DIR                completion for the handler files of DIR in an editor
#
# ARGS are those of a start; the ones that choose handlers count (-w, -s, --strict).

# Sets `target`, and `build_arguments` to the rest.
read_build_arguments() { # ARGS…
    case ${1-} in
        -o | --output) target=${2-} && (($# < 2)) || shift 2 ;;
        -o?*) target=${1#-o} && shift ;;
        --output=*) target=${1#*=} && shift ;;
        *) target='' ;;
    esac
    [[ -n $target ]] || fail 2 "build: first the file to write: $0 build -o server [-w DIR]"
    [[ ! -d $target ]] || fail 1 "build: '$target' is a directory"
    [[ -d $(dirname -- "$target") && -w $(dirname -- "$target") ]] \
        || fail 1 "build: cannot write to '$(dirname -- "$target")'"
    build_arguments=("$@")
    build=$package/.build/standalone-static
    kind=$mode-static
    build_options=(--static-swift-stdlib)
}

# Under another name first: a disk that is full leaves no half of a program.
deliver() {
    local size
    part=$target.part.$$
    trap 'rm -f -- "$part"' EXIT
    cp -- "$state/$product" "$part" && mv -f -- "$part" "$target" || fail 1 "build: cannot write '$target'"
    size=$(stat -c %s -- "$target")
    printf '%s: %s.%s MB' "$target" "$((size / 1000000))" "$((size / 100000 % 10))"
    measure_start
    printf '\n'
}

# From the start to the line that says it listens, on a free port, with no options but that.
measure_start() {
    local began line process errors
    began=${EPOCHREALTIME/[.,]/}
    exec {errors}< <(exec env -i "$(readlink -f -- "$target")" -p 0 2>&1)
    process=$!
    while IFS= read -r -t 5 -u "$errors" line; do
        [[ $line == *'listening on '* ]] || continue
        printf ', listens %s ms after its start' "$(((${EPOCHREALTIME/[.,]/} - began) / 1000))"
        break
    done
    kill "$process" 2>/dev/null
    exec {errors}<&-
}

# SourceKit-LSP reads the compiler's options for all files of a folder from compile_flags.txt.
write_editor_flags() {
    local file=$root/compile_flags.txt
    if [[ -e $file ]] && ! grep -qF "$package/.build/" "$file"; then
        fail 1 "editor: ${file/#"$root"/"$shown"} exists and is somebody else's; nothing was written"
    fi
    {
        printf '%s\n' -module-name handlers
        cat -- "$base/handler.flags"
        printf '%s\n' -I "$state/objects"
    } >"$file.part" && mv -f -- "$file.part" "$file" || fail 1 "editor: cannot write $file"
    printf 'wrote %s: an editor with SourceKit-LSP completes in the files beside it.\n' "$shown/compile_flags.txt"
    printf 'It names folders of this machine: keep it out of version control.\n'
}
