"""Reads docs/PYWEBSOCKET.md."""

import pathlib
import re
import typing

PATH = pathlib.Path(__file__).resolve().parents[3] / "docs" / "PYWEBSOCKET.md"
DIFFERENCES = "## Handshakes that are answered differently"


class Row(typing.NamedTuple):
    line: int
    heading: str
    there: str
    here: str
    rest: list


class Difference(typing.NamedTuple):
    line: int
    there: str
    here: str
    why: str


def quoted(cell):
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def tables():
    """The cells of each table's lines, with the line's number and the heading above."""
    heading, is_head = "", False
    lines = PATH.read_text().splitlines()
    in_code = False
    for number, line in enumerate(lines, 1):
        in_code ^= line.startswith("```")
        if in_code:
            continue
        if line.startswith("#"):
            heading = line
        is_head = number < len(lines) and lines[number].startswith("|---")
        if not line.startswith("|") or line.startswith("|---") or is_head:
            continue
        cells = [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        yield number, heading, cells


def rows():
    """The rows "there → here", of all tables but the last."""
    for number, heading, cells in tables():
        if heading != DIFFERENCES:
            assert len(cells) >= 2 and all(cells[:2]), f"{PATH.name}:{number}: a cell is empty"
            yield Row(number, heading, cells[0], cells[1], cells[2:])


def column(name):
    """All that stands in backticks in one column."""
    return {text for row in rows() for text in quoted(getattr(row, name))}


def differences():
    """By the handshake's name, what the last table says."""
    found = {}
    for number, heading, cells in tables():
        if heading != DIFFERENCES:
            continue
        names, there, here, why = cells
        (there,), (here,) = quoted(there), quoted(here)
        for name in quoted(names):
            assert name not in found, f"{PATH.name}:{number}: {name} is there twice"
            found[name] = Difference(number, there, here, why)
    return found


def code_blocks(language):
    """By the file that its first line names in a comment, the text of each such block."""
    pattern = rf"^```{language}\n(?:#|//) (\S+)\n(.*?)^```$"
    return dict(re.findall(pattern, PATH.read_text(), re.MULTILINE | re.DOTALL))
