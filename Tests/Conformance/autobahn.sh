#!/usr/bin/env bash
# Autobahn|Testsuite as fuzzing client against one WebSocket echo server.
#
#   autobahn.sh ws://127.0.0.1:PORT/PATH [CASE-GLOB ...]      default: all cases
#   autobahn.sh --install                                     only installs the suite
#
# Several may run at the same time if it is installed and each has an AB_OUT of its own.
#
# environment:
#   AB_ENGINE   autobahn (needs Python 2.7) or kosoku, its Python 3 port that runs the same case files;
#               default: autobahn where a Python 2.7 is found, else kosoku
#   AB_PY2      the Python 2.7 to use                 (default: looked for)
#   AB_VENV     where the virtual environment lives   (default: ${TMPDIR:-/tmp}/autobahn-venv)
#   AB_OUT      where the reports go                  (default: ${TMPDIR:-/tmp}/autobahn-out)
#   AB_EXCLUDE  case globs to leave out, separated by blanks
#   AB_TIMEOUT  seconds for the whole run             (default 1500)
#
# Leaves $AB_OUT/reports/index.json and a page per case. Exit: 0 if every case's behavior and
# behaviorClose is OK or INFORMATIONAL, 1 otherwise, 2 if the suite itself could not run.
set -uo pipefail

url=${1:?usage: autobahn.sh --install | ws://127.0.0.1:PORT/PATH [CASE-GLOB ...]}
shift
temporary=${TMPDIR:-/tmp}
venv=${AB_VENV:-$temporary/autobahn-venv} out=${AB_OUT:-$temporary/autobahn-out}
limit=${AB_TIMEOUT:-1500}

fail() {
    echo "autobahn.sh: $*" >&2
    exit 2
}

case $url in
    --install) ;;
    ws://127.*:* | ws://localhost:* | ws://\[::1\]:* | wss://127.*:* | wss://localhost:* | wss://\[::1\]:*) ;;
    *) fail "only loopback servers are tested: $url" ;;
esac

find_python2() {
    local python
    for python in ${AB_PY2-} "$(command -v python2.7)" "${HOME-}"/.pyenv/versions/2.7*/bin/python2.7; do
        [[ -n $python && -x $python ]] \
            && "$python" -c 'import sys; sys.exit(sys.version_info[:2] != (2, 7))' 2>/dev/null \
            && echo "$python" && return
    done
    return 1
}

install_autobahn() {
    [[ -x $venv/py2/bin/wstest ]] && return
    local python
    python=$(find_python2) || fail "no Python 2.7; AB_ENGINE=kosoku does without"
    # virtualenv 20.15 is the last that makes environments for Python 2.7, and wants no root rights.
    "$python" -m pip install -q --disable-pip-version-check --target "$venv/boot" 'virtualenv<20.16' \
        && PYTHONPATH=$venv/boot "$python" -m virtualenv -q "$venv/py2" \
        && "$venv/py2/bin/pip" install -q autobahntestsuite==25.10.1
}

install_kosoku() {
    [[ -e $venv/py3/patched ]] && return
    # 12.* and 13.* of this version fail themselves if a text message comes uncompressed, as short ones
    # may (RFC 7692 §6): it is a str of latin-1 then, and no hash takes that.
    local line='msg = msg if isinstance(msg, bytes) else msg.encode("latin-1")'
    rm -rf "$venv/py3"
    python3 -m venv "$venv/py3" && "$venv/py3/bin/pip" install -q kosoku==0.1.0 \
        && sed -i "/^def onMessage(self, msg, binary):\$/a\   $line" \
            "$venv"/py3/lib/python3*/site-packages/kosoku/cases/case1[23]_x_x.py \
        && touch "$venv/py3/patched"
}

# In the foreground: what ends our group of processes must end the suite too.
run_autobahn() {
    python3 - "$out" "$url" "${AB_EXCLUDE-}" "$@" >"$out/spec.json" <<'PYTHON' || return
import json, sys
out, url, excluded, cases = sys.argv[1], sys.argv[2], sys.argv[3].split(), sys.argv[4:]
json.dump({"outdir": out + "/reports", "servers": [{"agent": "server", "url": url}],
           "cases": cases or ["*"], "exclude-cases": excluded, "exclude-agent-cases": {}}, sys.stdout)
PYTHON
    (cd "$out" && timeout --foreground "$limit" "$venv/py2/bin/wstest" -m fuzzingclient -s spec.json)
}

run_kosoku() {
    local arguments=() glob
    for glob in "$@"; do arguments+=(-i "$glob"); done
    for glob in ${AB_EXCLUDE-}; do arguments+=(-x "$glob"); done
    timeout --foreground "$limit" "$venv/py3/bin/kosoku" -p 1 ${arguments[@]+"${arguments[@]}"} -o "$out/reports" "$url"
}

engine=${AB_ENGINE-}
[[ -n $engine ]] || { find_python2 >/dev/null && engine=autobahn || engine=kosoku; }
[[ $engine == autobahn || $engine == kosoku ]] || fail "AB_ENGINE is autobahn or kosoku, not $engine"
mkdir -p "$out" || fail "cannot write to $out"
if ! "install_$engine" >"$out/install.log" 2>&1; then
    tail -n 5 "$out/install.log" >&2
    fail "$engine cannot be installed"
fi
[[ $url != --install ]] || exit 0

rm -rf "$out/reports"
"run_$engine" "$@" >"$out/run.log" 2>&1
code=$?
if [[ ! -s $out/reports/index.json ]]; then
    tail -n 3 "$out/run.log" | cut -c 1-300 >&2
    fail "the suite wrote no report (exit $code)"
fi

python3 - "$out/reports/index.json" "$engine" "$SECONDS" <<'PYTHON'
import collections, json, sys
good = {"OK", "INFORMATIONAL"}
(cases,) = json.load(open(sys.argv[1])).values()
print(f"{len(cases)} cases in {sys.argv[3]} s ({sys.argv[2]})")
for field in ("behavior", "behaviorClose"):
    counts = collections.Counter(case[field] for case in cases.values())
    print(f"  {field:13} " + "  ".join(f"{name}={count}" for name, count in sorted(counts.items())))
sys.exit(not cases or not all({case["behavior"], case["behaviorClose"]} <= good for case in cases.values()))
PYTHON
