# Part of standalone.sh: finds the handler files and copies them to where they are compiled.
#
#   .build/handlers/<digest of the directories>/
#       modules/sub/echo_wsh.swift/handler.swift  the copy of handlers/sub/echo_wsh.swift
#       modules/sub/echo_wsh.swift/export.swift   fails to compile if it exports no `handler`
#       Shared/                                   the copies of the helper files
#       objects/                                  what was compiled, by module
#       messages/sub/echo_wsh.swift               why that file is left out
#       core, helped, copied                      what the copies were made from
#       standalone, stamp                         the binary, and what it was made from
#
# The client has such a folder too, `client-release`, with nothing but the binary and the stamp.
#
# A module of its own for each file: two files may declare the same names, and a file that does not
# compile is replaced by a stand-in. The first line of a copy makes the compiler, `#filePath` and
# backtraces name the author's file.

digest() { printf '%s\0' "$@" | sha256sum | cut -c 1-16; }

# Fills `handlers` and `helpers` (paths relative to the root) and `fingerprint` (by path).
# The status-change time is part of it: a modification time can be set back.
scan_handlers() {
    local LC_ALL=C mark path
    handlers=() helpers=()
    declare -gA fingerprint=()
    while IFS=' ' read -r -d '' mark path; do
        path=${path#"${root%/}"/}
        is_usable "$path" || continue
        if [[ $path != *_wsh.swift ]]; then
            helpers+=("$path")
        elif [[ $root/$path == "$scan"/* ]]; then
            handlers+=("$path")
        else
            continue
        fi
        fingerprint[$path]=$mark
    done < <(find "$root/" -mindepth 1 -name '.*' -prune -o -name '*.swift' -xtype f -print0 \
        | sort -z | xargs -0 -r stat -L --printf '%.9Z,%s,%i %n\0')
}

# For a program without handlers.
have_no_handlers() {
    handlers=() helpers=() root='' shown=''
    declare -gA fingerprint=()
}

is_usable() { # PATH
    local file=$root/$1 real
    # Quotes and backslashes are more than SwiftPM can take.
    if [[ $1 == *[[:cntrl:]\"\\]* ]] || ! is_utf8 "$1"; then
        note "skipped $(printf '%q' "$shown/$1"): a file name must be UTF-8 without control characters, \" and \\"
        return 1
    fi
    [[ -L $file && $allows_outside == no ]] || return 0
    real=$(readlink -f -- "$file")
    [[ $real == "${root%/}"/* ]] && return
    note "skipped $shown/$1: it is a link to $real, outside the handlers directory" \
        "(--allow-handlers-outside-root-dir takes it in)"
    return 1
}

is_utf8() {
    [[ $1 != *[!\ -~]* ]] || iconv -f UTF-8 -t UTF-8 <<<"$1" >/dev/null 2>&1
}

# Everything the binary is made from, as text: a line for the server itself, and one for each file.
describe() { printf '%s\n%s\n' "$core" "$(describe_files "${helpers[@]-}" "${handlers[@]-}")"; }
describe_core() {
    digest "$package" "$mode" "$compiler" "$(cd -- "$package" \
        && find Package.swift standalone.sh Sources -type f -printf '%p %C@ %s %i\n' | LC_ALL=C sort)"
}
describe_files() { # PATH…
    local path
    for path; do [[ -z $path ]] || printf '%s %s\n' "${fingerprint[$path]}" "$path"; done
}

is_up_to_date() {
    core=${core-$(describe_core)}
    [[ -x $state/$product && -r $state/stamp ]] || return 1
    # A start does not go on with what worked before: the author should see what does not work.
    [[ $command == rebuild ]] || ! compgen -G "$state/objects/*.kept" >/dev/null || return 1
    # Both without the line ends behind the last one: there may be no files.
    [[ $(<"$state/stamp") == "$(describe)" ]]
}

# --- Copies ---------------------------------------------------------------------------------------

prepare_handlers() {
    local path mark helped
    declare -gA copied=() module_of=()
    objects=$state/objects
    if [[ ! -r $state/core || $(<"$state/core") != "$core" ]]; then # the server changed
        rm -rf -- "$state"/{messages,copied,helped,objects}
    fi
    helped=$(describe_files "${helpers[@]-}")
    if [[ ! -r $state/helped || $(<"$state/helped") != "$helped" ]]; then
        # What did not compile then may compile now.
        rm -rf -- "$state"/{messages,copied} "$objects"/Shared.*
        forget_users_of_helpers
    elif [[ -r $state/copied ]]; then
        while IFS=' ' read -r mark path; do copied[$path]=$mark; done <"$state/copied"
    fi
    rm -rf -- "$objects"/*.[0-9]*/ # left by a compiler that was stopped
    remove_vanished
    for path in ${handlers[@]+"${handlers[@]}"}; do
        name_module "$path"
        module_of[$path]=$name
        [[ $command == rebuild || ! -e $objects/$name.kept ]] || copied[$path]=''
        [[ ${copied[$path]-} == "${fingerprint[$path]}" ]] || copy_handler "$path"
    done
    copy_helpers
    printf '%s\n' "$core" >"$state/core" && printf '%s\n' "$helped" >"$state/helped" \
        && describe_files "${handlers[@]-}" >"$state/copied" || exit 1
}

# Sets `name`, as Package.swift does: `echo_wsh.swift` is module `echo_wsh`; of another name the odd
# characters are replaced, and a hash of the path (FNV-1a) keeps it unique.
name_module() { # PATH
    local LC_ALL=C index byte hash=$((0xcbf29ce484222325))
    name=${1%.swift}
    if [[ ! $name =~ ^[A-Za-z_][A-Za-z0-9_]*$ || ${#name} -gt 80 ]]; then
        for ((index = 0; index < ${#1}; index++)); do
            printf -v byte %d "'${1:index:1}"
            hash=$(((hash ^ (byte & 255)) * 0x100000001b3))
        done
        name=${name//[!A-Za-z0-9_]/_}
        ((${#name} <= 60)) || name=${name: -60}
        printf -v name '_%s_%x' "$name" "$hash"
    fi
}

# Any that may import it. One that only has the word is compiled in vain.
forget_users_of_helpers() {
    local folder name
    while IFS= read -r -d '' folder; do
        folder=${folder%/handler.swift}
        name_module "${folder#"$state/modules/"}"
        rm -rf -- "$objects/$name".{o,kept,good}
    done < <(grep -rlwZ --include=handler.swift Shared "$state/modules" 2>/dev/null)
}

copy_handler() { # PATH
    local folder=$state/modules/$1
    mkdir -p -- "$folder"
    rm -f -- "$state/messages/$1"
    write_export "$folder"
    if copy_source "$1" "$folder/handler.swift"; then return; fi
    messages[$1]="$root/$1:1:1: error: the file cannot be read"$'\n'
    leave_out "$1" "${messages[$1]%$'\n'}"
}
write_export() { # FOLDER
    write "$1/export.swift" <<'SWIFT'
import WebSocketHost
@inlinable public func exportedHandler() -> WebSocketHandler { handler }
SWIFT
}

# `a/text.swift` and `b/text.swift` become `,a,text.swift` and `,b,text.swift`: a module cannot have two
# files of one name, nor two such first lines. So compile.sh puts the author's path into messages.
copy_helpers() {
    local path name
    declare -gA helper_of=()
    mkdir -p -- "$state/Shared"
    for path in ${helpers[@]+"${helpers[@]}"}; do
        name=,${path//,/,,}
        name=${name//\//,}
        helper_of[$name]=$path
        without_mark "$path" | write "$state/Shared/$name" || exit 1
    done
    for path in "$state/Shared"/*; do
        [[ -n ${helper_of[${path##*/}]-} ]] || rm -f -- "$path"
    done
}

# The object file goes if the copy differs from the one that it was made from.
copy_source() { # PATH TARGET
    { printf '#sourceLocation(file: %s, line: 1)\n' "$(literal "$root/$1")" \
        && without_mark "$1"; } >"$state/new" || return
    cmp -s "$state/new" "$2" && { rm -f -- "$objects/${module_of[$1]}.kept"; return; }
    keep_good "${module_of[$1]}" "$2"
    rm -f -- "$objects/${module_of[$1]}.o" && mv -f -- "$state/new" "$2" || fail 1 "cannot write $2"
}

# What worked, for `restore_good`: only a rebuild, beside a server that runs, goes back to it.
keep_good() { # MODULE SOURCE
    local good=$objects/$1.good
    [[ $command != rebuild || -e $objects/$1.o ]] || return 0 # what worked before a build that was given up
    rm -rf -- "$good"
    [[ $command == rebuild && -e $objects/$1.o ]] && ! head -n 1 -- "$2" | grep -q '^// left out' || return 0
    mkdir -p -- "$good" && cp -f -- "$objects/$1".{o,swiftmodule} "$2" "$good" || rm -rf -- "$good"
}

# After a file failed to compile. False if there is nothing that worked with the present helper code.
restore_good() { # PATH
    local name=${module_of[$1]} good
    good=$objects/$name.good
    [[ -d $good ]] || return 1
    mv -f -- "$good/$name".{o,swiftmodule} "$objects" && mv -f -- "$good/handler.swift" "$state/modules/$1" \
        && : >"$objects/$name.kept" || return 1
    rm -rf -- "$good"
    keep_message "$1" "${messages[$1]%$'\n'}"
}

# A byte order mark is allowed at the start of a file only.
without_mark() { LC_ALL=C sed $'1s/^\xEF\xBB\xBF//' "$root/$1" 2>/dev/null; }

# Standard input becomes the file. Left alone when nothing changed: a new date means a new build.
write() { # FILE
    cat >"$state/newer" || fail 1 "cannot write $state/newer"
    if cmp -s "$state/newer" "$1"; then return; fi
    mv -f -- "$state/newer" "$1" || fail 1 "cannot write $1"
}

remove_vanished() {
    local path folder name
    while IFS= read -r -d '' folder; do
        path=${folder#"$state/modules/"} path=${path%/handler.swift}
        [[ -n ${fingerprint[$path]-} && $path == *_wsh.swift ]] && [[ $root/$path == "$scan"/* ]] && continue
        name_module "$path"
        rm -f -- "$state/modules/$path"/{handler,export}.swift "$state/messages/$path"
        rm -rf -- "$objects/$name."*
        (cd -- "$state/modules" && rmdir -p --ignore-fail-on-non-empty -- "$path")
    done < <(find "$state/modules" -type f -name handler.swift -print0 2>/dev/null)
}

# The file's module becomes a stand-in, from which the registry makes an entry without a handler.
leave_out() { # PATH MESSAGE
    local folder=$state/modules/$1 text=${2//"${root%/}/"/}
    keep_message "$1" "$2"
    rm -rf -- "$objects/${module_of[$1]}".{o,kept,good}
    printf '// left out\npublic let failure = %s\n' "$(literal "$text")" | write "$folder/handler.swift" || exit 1
    printf '// left out\n' | write "$folder/export.swift" || exit 1
}
keep_message() { # PATH MESSAGE
    [[ $1 != */* ]] || mkdir -p -- "$state/messages/${1%/*}" || exit 1
    mkdir -p -- "$state/messages" && printf '%s\n' "$2" >"$state/messages/$1" || exit 1
}

# A Swift string literal.
literal() {
    local text=${1//\\/\\\\}
    text=${text//\"/\\\"}
    text=${text//$'\r'/}
    text=${text//$'\t'/    }
    printf '"%s"' "${text//$'\n'/\\n}"
}

refuse_left_out() {
    [[ -d $state/messages ]] && [[ -n $(find "$state/messages" -type f -print -quit) ]] || return 0
    show_left_out
    fail 4 "handlers do not compile and --strict is given: nothing is served"
}

# What was said when they were compiled, unless that was just now.
show_left_out() {
    [[ -z ${has_shown_messages-} && -d $state/messages ]] || return 0
    find "$state/messages" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r cat | shorten >&2
}
