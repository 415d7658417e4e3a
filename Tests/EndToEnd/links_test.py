"""The links of README.md, docs and the other pages: they lead to files and headings that exist."""

import re

import pytest
from documents import PAGES, REPOSITORY

ALL = [*PAGES, REPOSITORY / "CONTRIBUTING.md", REPOSITORY / "SECURITY.md"]


def text_without_code(page):
    return re.sub(r"^( *)```.*?^\1```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def headings(page):
    return re.findall(r"^#+ (.*)$", text_without_code(page), re.MULTILINE)


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)\s]+)\)", text_without_code(page)):
        if re.match(r"https?://", link):
            continue
        name, _, place = link.partition("#")
        target = page.parent / name if name else page
        assert target.exists(), f"{page.name}: {link}"
        if place:
            assert place in map(anchor, headings(target)), f"{page.name}: {link}"


def test_the_guide_lists_its_sections_at_the_top():
    page = REPOSITORY / "docs" / "HANDLERS.md"
    top, _, rest = page.read_text().partition("\n## ")
    sections = re.findall(r"^## (.*)$", text_without_code(page), re.MULTILINE)
    assert len(sections) > 20
    for section in sections:
        assert f"[{section}](#{anchor(section)})" in top, f"HANDLERS.md does not list '{section}' at its top"
