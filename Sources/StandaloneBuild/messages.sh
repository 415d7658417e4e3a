# Part of standalone.sh: what the compiler says about handler files, in the author's words.

declare -A messages=() # text by path below the root, of this run
waiting=()             # the handlers that only wait for helper code

# Takes the output of one module: the handler's at PATH, or the helper files' (PATH is empty).
sort_messages() { # LOG PATH
    local line owner=$2 is_export=no pattern
    pattern='^(/.*):[0-9]+:[0-9]+: (error|warning|note|remark): '
    [[ -s $1 ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        [[ -n $line ]] || continue
        # `#sourceLocation` does not reach to the very end of a file, where a missing brace is noticed.
        if [[ $line =~ ^"$state/modules/"(.*)/handler\.swift:([0-9]+)(:[0-9]+:\ .*) ]]; then
            line=$root/${BASH_REMATCH[1]}:$((BASH_REMATCH[2] - 1))${BASH_REMATCH[3]}
        elif [[ $line =~ ^"$state/Shared/"([^/:]*)(:[0-9]+:[0-9]+:\ .*) ]]; then
            line=$root/${helper_of[${BASH_REMATCH[1]}]-}${BASH_REMATCH[2]}
        fi
        if [[ $line =~ $pattern && ${BASH_REMATCH[2]} != note ]]; then
            is_export=no
            [[ ${BASH_REMATCH[1]} != "$state/modules/"*/export.swift ]] || is_export=yes # said by `explain`
            [[ -n $2 ]] || owner=${BASH_REMATCH[1]#"${root%/}/"}
        fi
        [[ $is_export == yes ]] || messages[${owner:-Shared}]+=$line$'\n'
    done <"$1"
}

# A handler file without an object file: sees to it that its messages say why.
explain() { # PATH
    local log=$objects/${module_of[$1]}.log text=${messages[$1]-}
    if [[ $helpers_fail == yes && $text =~ ": error: no such module 'Shared'" ]]; then
        messages[$1]="helper code that it imports does not compile: $(<"$state/messages/Shared")"
        waiting+=("$1")
    elif grep -qsF 'Stack dump:' "$log"; then
        messages[$1]="$root/$1:1:1: error: the compiler crashed"$'\n'
    elif [[ ! $text =~ ': error: ' ]] \
        && grep -qsE '/export\.swift:[0-9]+:[0-9]+: error: ' "$log"; then
        messages[$1]+="$root/$1:1:1: error: the file exports no handler: it needs \
'public let handler = WebSocketHandler { … }'"$'\n'
    elif [[ ! $text =~ ': error: ' ]]; then
        messages[$1]+="$root/$1:1:1: error: the compiler ended without a message"$'\n'
    fi
}

# The errors of helper files, one text.
blamed_on_helpers() {
    local path
    for path in "${helpers[@]}" Shared; do printf '%s' "${messages[$path]-}"; done
}

# Sorted by file; those of files that only wait for helper code in one line.
show_messages() {
    local owner text='' path
    while IFS= read -r owner; do
        [[ -z $owner || " ${waiting[*]-} " == *" $owner "* ]] || text+=${messages[$owner]}
    done < <(printf '%s\n' "${!messages[@]}" | LC_ALL=C sort)
    if [[ -n $text ]]; then
        clear_progress
        printf '%s' "$text" | shorten >&2
        has_shown_messages=yes
    fi
    if ((${#waiting[@]})); then
        text=''
        for path in "${waiting[@]}"; do text+=", $path"; done
        say "left out until the helper code compiles, which they import: ${text#, }"
    fi
    messages=() waiting=()
}

# The author's files are named as -w names the directory.
shorten() {
    local line
    while IFS= read -r line; do printf '%s\n' "${line//"${root%/}/"/"$shown/"}"; done
}
