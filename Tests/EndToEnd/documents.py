"""The Swift code of README.md and docs: each block with its file name and its place.

A block is a whole file, and its first line says which, `// greet_wsh.swift`. The name says what is done with it:

| name | rule |
|---|---|
| `FOLDER/NAME.swift`, of a folder of this repository | a file of this repository, word for word (documents_test.py) |
| `NAME_wsh.swift`, in a folder or not | a handler file: all of them are served by one server (documents_test.py) |
| `main.swift` | a program: built and run by Tests/Embedding/run |
| `Package.swift`, whose first line is its tools version | read by SwiftPM, in Tests/Embedding/run |
| `NAMETests.swift` | tests: built and run by Tests/Embedding/run |
| `NAME.swift` that imports one of our modules | part of a program: built by Tests/Embedding/run |
| another `NAME.swift` | helper code of handler files: in the directory of the first rule |

Code that is no whole file is not in a `swift` block.
"""

import pathlib
import re
from dataclasses import dataclass

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)[^\n]*\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"// (?P<name>(?:\w+/)*\w+\.swift)\n")
IMPORT = re.compile(r"^(?:@testable )?import (?P<module>\w+)", re.MULTILINE)
FILE, HANDLER, PROGRAM, MANIFEST, TESTS, PART, HELPER = "file", "handler", "program", "manifest", "tests", "part", "helper"


@dataclass(frozen=True)
class Block:
    page: pathlib.Path
    line: int
    name: str
    code: str

    @property
    def place(self):
        return f"{self.page.relative_to(REPOSITORY)}:{self.line}"

    @property
    def kind(self):
        folder, _, rest = self.name.partition("/")
        if rest and (REPOSITORY / folder).is_dir():
            return FILE
        for ending, kind in {"_wsh.swift": HANDLER, "Tests.swift": TESTS}.items():
            if self.name.endswith(ending):
                return kind
        if self.name in ("main.swift", "Package.swift"):
            return PROGRAM if self.name == "main.swift" else MANIFEST
        return PART if any(module.startswith("WebSocket") for module in IMPORT.findall(self.code)) else HELPER


def fences(language):
    """Each block of a language: its page, its line, and its text without the indentation."""
    for page in PAGES:
        text = page.read_text()
        for match in FENCE.finditer(text):
            if match["language"] != language:
                continue
            indent = match["indent"]
            lines = match["code"].splitlines()
            code = "".join(line.removeprefix(indent) + "\n" for line in lines)
            yield page, text.count("\n", 0, match.start()) + 1, code


def blocks(*kinds):
    """Those of these kinds, or all; a block that no rule covers is an error that names its place."""
    found = []
    for page, line, code in fences("swift"):
        name = NAME.match(code)
        if code.startswith("// swift-tools-version:"):  # which has to be the first line
            found.append(Block(page, line, "Package.swift", code))
            continue
        if not name:
            raise AssertionError(
                f"{page.relative_to(REPOSITORY)}:{line}: no rule for this Swift block: its first line names no file, "
                "as in '// greet_wsh.swift'. Code that is no whole file goes into a 'text' block")
        found.append(Block(page, line, name["name"], code))
    return [block for block in found if not kinds or block.kind in kinds]
