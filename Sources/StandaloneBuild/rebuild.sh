# Part of standalone.sh: what the running server's supervisor needs.
#
#   standalone.sh rebuild ARGS…
#
# builds as a start with these arguments would, and then ends. Standard error has the compiler's
# messages and nothing else; standard output has what happened, when the build is done, a line each,
# with a tab between the words; when all was up to date, only what does not compile:
#
#   changed PATH    since the binary was built; handler and helper files, as paths below the root
#   added PATH
#   removed PATH
#   kept PATH       a handler file does not compile: what it was before stays in the server
#   broken PATH     does not compile: a handler file that is left out now, or a helper file
#   core            the server's own sources, or the compiler, changed
#
# Exit codes: 0 built, or up to date; 1 not built; 4 --strict, and a handler does not compile. With 1
# and 4, or when a signal ends it, the binary and what is known of it stay as they were.

# What the supervisor must know to call it; it calls it in the same working directory.
name_for_supervisor() {
    export STANDALONE_SCRIPT=$package/standalone.sh STANDALONE_ROOT=$root
    export STANDALONE_SHOWN=$shown STANDALONE_BINARY=$state/$product
    # Where a runtime that is part of the program finds the toolchain's `swift-backtrace`.
    [[ ! -r $base/swift ]] || export SWIFT_ROOT=${SWIFT_ROOT-$(<"$base/swift")}
}

# Compares with the stamp, which still is the old binary's.
report_changes() {
    local line path built_core=''
    local -A built=()
    if [[ -r $state/stamp ]]; then
        {
            IFS= read -r built_core
            # Another form than a digest: an older script's.
            [[ $built_core == *[!0-9a-f]* ]] || while IFS=' ' read -r line path; do
                [[ -z $path ]] || built[$path]=$line
            done
        } <"$state/stamp"
    fi
    for path in ${helpers[@]+"${helpers[@]}"} ${handlers[@]+"${handlers[@]}"}; do
        if [[ -z ${built[$path]-} ]]; then
            printf 'added\t%s\n' "$path"
        elif [[ ${built[$path]} != "${fingerprint[$path]}" ]]; then
            printf 'changed\t%s\n' "$path"
        fi
    done
    for path in "${!built[@]}"; do
        [[ -n ${fingerprint[$path]-} ]] || printf 'removed\t%s\n' "$path"
    done
    [[ $built_core == "$core" ]] || printf 'core\n'
    report_broken
}

# Also when nothing changed: it still does not compile.
report_broken() {
    local path name
    for path in ${handlers[@]+"${handlers[@]}"}; do
        [[ -e $state/messages/$path ]] || continue
        name_module "$path"
        if [[ -e $state/objects/$name.kept ]]; then
            printf 'kept\t%s\n' "$path"
        else
            printf 'broken\t%s\n' "$path"
        fi
    done
    if [[ -e $state/messages/Shared ]]; then
        for path in "${helpers[@]}"; do
            ! grep -qF -- "${root%/}/$path:" "$state/messages/Shared" || printf 'broken\t%s\n' "$path"
        done
    fi
}
