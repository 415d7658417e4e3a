"""The chat room in two browsers: before, while and after its handler is saved."""

import os
import shutil

import pytest
from browsing import HANDLERS, PAGES, open_browser
from conftest import Server
from selenium.webdriver.common.by import By

from authoring import BUILD_TIMEOUT, save
from wire import wait_until

# Screenshots are kept here, for people to look at.
SCREENSHOTS = os.environ.get("WEBSOCKETHOST_SCREENSHOTS")


@pytest.fixture
def room(tmp_path):
    for name in ("chat_wsh.swift", "HTML.swift"):
        shutil.copy(HANDLERS / name, tmp_path / name)
    server = Server("--watch", "-d", PAGES, handlers=tmp_path)
    yield server, tmp_path
    server.stop()


class Guest:
    def __init__(self, server, name):
        self.name = name
        self.browser = open_browser("--window-size=700,600")
        self.browser.get(server.http_url("/chat.html"))
        self.field = self.browser.find_element(By.NAME, "text")
        wait_until(lambda: self.state() == "connected" or "came" in self.text())

    def state(self):
        return self.browser.find_element(By.CSS_SELECTOR, ".state").text

    def text(self):
        return self.browser.find_element(By.ID, "room").text

    def say(self, text):
        self.field.send_keys(text + "\n")

    def hears(self, text):
        wait_until(lambda: text in self.text(), what=f"{self.name} did not see {text!r}: {self.text()!r}")

    def screenshot(self, moment):
        if SCREENSHOTS:
            self.browser.save_screenshot(f"{SCREENSHOTS}/chat-{moment}-{self.name}.png")


def test_a_conversation_goes_on_over_a_save(room):
    """Who came before the save and who came after it hear each other, and everything once."""
    server, folder = room
    guests = []
    try:
        ada, bob = (Guest(server, name) for name in ("ada", "bob"))
        guests += [ada, bob]
        ada.say("before")
        for guest in guests:
            guest.hears("before")
            guest.screenshot("before")
        text = (folder / "chat_wsh.swift").read_text()
        save(folder, "chat_wsh.swift", text.replace(r"\(name) came", r"\(name) came later"))
        # While it is built, and while the new version takes over.
        for number in range(20):
            ada.say(f"during {number}")
            bob.hears(f"during {number}")
        server.wait_for_line("chat_wsh.swift changed: live", timeout=BUILD_TIMEOUT)
        carl = Guest(server, "carl")
        guests.append(carl)
        for guest in guests:
            guest.hears("came later, 3 here")
        carl.say("after, from the new version")
        bob.say("after, from the old version")
        for guest in guests:
            guest.hears("after, from the new version")
            guest.hears("after, from the old version")
            guest.screenshot("after")
        for guest in (ada, bob):
            said = guest.text()
            for number in range(20):
                assert sum(line.endswith(f"during {number}") for line in said.splitlines()) == 1
            assert said.count("after, from the new version") == 1
        carl.browser.quit()
        guests.remove(carl)
        for guest in guests:
            guest.hears("left, 2 here")
    finally:
        for guest in guests:
            guest.browser.quit()
