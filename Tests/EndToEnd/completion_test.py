"""`standalone.sh completion` in the shells themselves, and the manual page in groff."""

import os
import pty
import re
import shlex
import shutil
import subprocess

import pytest

from conftest import REPOSITORY
from wire import DEADLINE, wait_until

COMMAND = shlex.split(os.environ.get("WEBSOCKETHOST_COMMAND") or shlex.quote(str(REPOSITORY / "standalone.sh")))


def run(*words, **options):
    return subprocess.run(
        [*COMMAND, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=900, **options)


def script(shell, tmp_path):
    result = run("completion", shell)
    assert result.returncode == 0, result.stderr
    path = tmp_path / f"completion.{shell}"
    path.write_text(result.stdout)
    return path


# What is typed, and what of the answers must be and must not be there. A folder and a file lie in the
# current directory.
ROWS = [
    (["--por"], {"--port"}, {"--help"}),
    (["pub"], {"publish"}, {"new"}),
    (["publish", "--bin"], {"--binary"}, {"--port"}),
    (["publish", "--watc"], set(), {"--watch"}),
    (["new", "--hook"], {"--hooks"}, {"--port"}),
    (["completion", ""], {"bash", "zsh", "fish"}, {"--port"}),
    (["--log-format", ""], {"text", "json"}, {"a_file"}),
    (["--log-format", "j"], {"json"}, {"text"}),
    (["--origin", "s"], {"same"}, {"any"}),
    (["-w", "a_"], {"a_folder/"}, {"a_file"}),
    (["--log-file", "a_"], {"a_folder/", "a_file"}, {"--port"}),
    (["--watch", "--max-mes"], {"--max-message-size"}, {"--max-connections"}),
]
IDS = [" ".join(words) for words, _, _ in ROWS]

BASH = """
source "$1"; shift
COMP_WORDS=(standalone.sh "$@"); COMP_CWORD=$#
compopt() { :; }
_standalone_sh
for word in "${COMPREPLY[@]}"; do [[ -d $word ]] && word+=/; printf '%s\\n' "$word"; done
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "a_folder").mkdir()
    (tmp_path / "a_file").touch()
    return tmp_path


@pytest.mark.parametrize("words, there, absent", ROWS, ids=IDS)
def test_bash(folder, words, there, absent):
    path = script("bash", folder)
    result = subprocess.run(
        ["bash", "-euc", BASH, "-", path, *words], cwd=folder, capture_output=True, text=True, timeout=DEADLINE)
    assert not result.stderr
    answers = set(result.stdout.split())
    assert there <= answers and not absent & answers


def test_bash_takes_a_value_behind_an_equals_sign(folder):
    path = script("bash", folder)
    result = subprocess.run(
        ["bash", "-euc", BASH, "-", path, "--log-format", "=", "j"], cwd=folder, capture_output=True, text=True,
        timeout=DEADLINE)
    assert result.stdout.split() == ["json"]


@pytest.mark.skipif(not shutil.which("fish"), reason="fish is not installed")
@pytest.mark.parametrize("words, there, absent", ROWS, ids=IDS)
def test_fish(folder, words, there, absent):
    path = script("fish", folder)
    line = shlex.join(["standalone.sh", *words[:-1]]) + " " + words[-1]
    result = subprocess.run(
        ["fish", "--no-config", "-c", 'source $argv[1]; complete -C $argv[2]', str(path), line], cwd=folder,
        capture_output=True, text=True, timeout=DEADLINE, env={**os.environ, "HOME": str(folder)})
    assert not result.stderr
    answers = {answer.split("\t")[0] for answer in result.stdout.splitlines()}
    assert there <= answers and not absent & answers


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
def test_zsh_takes_the_script(folder):
    path = script("zsh", folder)
    result = subprocess.run(["zsh", "-fn", path], capture_output=True, text=True, timeout=DEADLINE)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.skipif(not shutil.which("zsh"), reason="zsh is not installed")
@pytest.mark.parametrize("typed, completed", [
    ("--log-form", "--log-format="), ("pub", "publish "), ("publish --bin", "publish --binary "),
    ("--log-format=js", "--log-format=json "), ("-w a_fo", "-w a_folder/"), ("completion z", "completion zsh ")])
def test_zsh(folder, typed, completed):
    """Typed into a terminal."""
    path = script("zsh", folder)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe("zsh", ["zsh", "-f", "-i"], {**os.environ, "PS1": "% ", "TERM": "dumb", "HOME": str(folder)})
    try:
        os.write(terminal, (
            "unsetopt zle_bracketed_paste; bindkey -e; autoload -U compinit; compinit -u -D; "
            f"source {shlex.quote(str(path))}; show() {{ print -r -- \"<$BUFFER>\" > line; }}; "
            "zle -N show; bindkey '^X' show; print > ready\n").encode())
        wait_until(lambda: (folder / "ready").exists(), DEADLINE)
        os.write(terminal, f"standalone.sh {typed}\t\x18".encode())
        line = folder / "line"
        wait_until(lambda: line.exists() and line.read_text().endswith(">\n"), DEADLINE)
        assert line.read_text() == f"<standalone.sh {completed}>\n"
    finally:
        os.close(terminal)
        os.waitpid(pid, 0)


@pytest.mark.parametrize("words, message", [
    ([], "name one shell: bash, zsh, fish"), (["csh"], "'csh' is not one of bash, zsh, fish"),
    (["bash", "zsh"], "name one shell")])
def test_wrong_arguments(words, message):
    result = run("completion", *words)
    assert result.returncode == 2
    assert message in result.stderr


def test_every_option_is_in_the_manual():
    page = run("man")
    assert page.returncode == 0
    names = re.findall(r"^ {2}(?:-\w, | {4})--([a-z-]+)", run("help").stdout, re.M)
    assert len(names) > 80
    for name in names:
        assert r"\fB\-\-" + name.replace("-", r"\-") + r"\fR" in page.stdout, name


@pytest.mark.skipif(not shutil.which("groff"), reason="groff is not installed")
def test_groff_takes_the_manual():
    page = run("man").stdout
    result = subprocess.run(
        ["groff", "-man", "-ww", "-Tutf8"], input=page, capture_output=True, text=True, timeout=DEADLINE)
    assert (result.returncode, result.stderr) == (0, "")
    assert "--max-message-size BYTES" in re.sub(r"\x1b\[\d*m|.\x08", "", result.stdout)
