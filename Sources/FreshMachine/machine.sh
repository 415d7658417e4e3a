# shellcheck shell=sh
# Part of standalone.sh: what a machine needs besides Swift and git, and how it gets it.
#
#   find_swift      puts the toolchain into PATH
#   prepare_machine finds everything that is missing at once; installs it, or prints the command
#
# Missing packages are installed as root without asking, with sudo after a question on a terminal.
# WEBSOCKETHOST_INSTALL=no never installs. Debian's and Ubuntu's packages are installed; Fedora's
# are named. `say` and `fail` are standalone.sh's. POSIX sh: nothing is known of the machine yet.

# Places that installers of Swift use, after PATH.
find_swift() {
    command -v swiftc >/dev/null && return
    for folder in /opt/swift/usr/bin /opt/swift/bin "${HOME-}/.local/share/swiftly/bin" \
        /usr/libexec/swift/bin; do
        [ -x "$folder/swiftc" ] || continue
        PATH=$folder:$PATH
        export PATH
        return
    done
    fail 1 'no Swift compiler in PATH or in /opt/swift: install Swift 6.2 or later from' \
        'https://www.swift.org/install/linux, or add the folder of swiftc to PATH'
}

prepare_machine() {
    debian='' fedora=''
    find_missing
    [ -n "$debian" ] || return 0
    if command -v apt-get >/dev/null; then
        install="apt-get install --yes --no-install-recommends$debian"
    elif command -v dnf >/dev/null; then
        install="dnf install$fedora"
    else
        fail 1 "this machine lacks what these Debian packages contain:$debian"
    fi
    install_missing
    debian='' fedora=''
    find_missing
    [ -z "$debian" ] || fail 1 "still missing after the installation:$debian"
}

# Adds to `debian` and `fedora` the packages of everything that is not there.
find_missing() {
    for library in $(missing_libraries); do need_library "$library"; done
    # The C compiler's start files and libraries; Swift links with them.
    has_c_compiler_files || need g++ gcc-c++
    [ -e /usr/share/zoneinfo ] || need tzdata tzdata
    command -v pkg-config >/dev/null || need pkg-config pkgconf-pkg-config
    has_headers openssl openssl/ssl.h || need libssl-dev openssl-devel
    has_headers zlib zlib.h || need zlib1g-dev zlib-devel
    has_headers libcrypt crypt.h || need libcrypt-dev libxcrypt-devel
}

need() { # DEBIAN FEDORA
    case "$debian " in *" $1 "*) return ;; esac
    debian="$debian $1" fedora="$fedora $2"
}

# The shared libraries that the toolchain's programs want and the loader does not find.
missing_libraries() {
    programs=$(dirname -- "$(readlink -f -- "$(command -v swiftc)")")
    for program in swift-driver swift-build swift-package ld.lld clang; do
        [ ! -e "$programs/$program" ] || ldd "$programs/$program" 2>/dev/null
    done | sed -n 's/^[[:space:]]*\([^ ]*\) => not found.*/\1/p' | sort -u
}

need_library() { # FILE
    case $1 in
        libncurses.so.* | libtinfo.so.*) need libncurses6 ncurses-libs ;;
        libsqlite3.so.*) need libsqlite3-0 sqlite-libs ;;
        libcurl.so.*) need libcurl4 libcurl ;;
        libxml2.so.*) need libxml2 libxml2 ;;
        libedit.so.*) need libedit2 libedit ;;
        libstdc++.so.*) need libstdc++6 libstdc++ ;;
        libatomic.so.*) need libatomic1 libatomic ;;
        libz.so.*) need zlib1g zlib ;;
        *) fail 1 "Swift's programs need $1, which this machine does not have: install it" ;;
    esac
}

has_c_compiler_files() {
    command -v ld >/dev/null && [ -e /usr/include/stdio.h ] \
        && set -- /usr/lib/gcc*/*/*/libstdc++.* /usr/lib/gcc*/*/*/crtbegin.o \
        && case "$*" in *'*'*) false ;; esac
}

has_headers() { # PKG-CONFIG-NAME HEADER
    if command -v pkg-config >/dev/null; then
        pkg-config --exists "$1"
    else # without pkg-config only the compiler's own places are searched
        [ -e "/usr/include/$2" ]
    fi
}

# Runs `install`, if this user may and wants to; otherwise prints it and ends.
install_missing() {
    case ${WEBSOCKETHOST_INSTALL-}:$install in no:* | *:dnf*) name_missing ;; esac
    if [ "$(id -u)" != 0 ]; then
        if ! command -v sudo >/dev/null || ! [ -t 0 ] || ! [ -t 2 ]; then name_missing; fi
        install="sudo $install"
        printf "standalone.sh: this machine lacks packages. Run '%s'? [Y/n] " "$install" >&2
        read -r answer || answer=n
        case $answer in '' | [Yy]*) ;; *) name_missing ;; esac
    fi
    say "installing$debian"
    log=$(mktemp "${TMPDIR:-/tmp}/standalone-install.XXXXXX") || exit 1
    if ! run_install >"$log" 2>&1; then
        tail -n 15 -- "$log" >&2
        rm -f -- "$log"
        fail 1 "the installation failed; this is the command: $install"
    fi
    rm -f -- "$log"
}

run_install() {
    export DEBIAN_FRONTEND=noninteractive
    # The package lists may be old, or not there.
    # shellcheck disable=SC2086 # "sudo " or nothing
    ${install%%apt-get *}apt-get --quiet update && $install --quiet
}

name_missing() { fail 1 "this machine lacks packages; as root, run: ${install#sudo }"; }
