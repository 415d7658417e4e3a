// What the pages have in common: where the server is, a log, a field with a history.
"use strict";

// The address of a route. A page that was opened as a file has no server, so it asks the usual one.
function addressOf(path) {
  if (location.protocol === "file:") return `ws://127.0.0.1:9998${path}`;
  return `${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}${path}`;
}

function find(selector) {
  return document.querySelector(selector);
}

// A form's submission is the page's business; what goes wrong in it is told.
function onSubmit(form, action, tell) {
  form.noValidate = true; // the browser's WebSocket knows the rules, and its words are shown
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    try { action(); } catch (error) { tell(error.message); }
  });
}

function showState(text, className = "") {
  const state = find(".state");
  state.textContent = text;
  state.className = `state ${className}`;
}

// A page that the browser keeps for its "back" button would stay connected, and in a room. `current` returns
// the socket of the moment.
function closeWithPage(current) {
  addEventListener("pagehide", () => current()?.close());
}

// RFC 6455 §7.4.1.
const MEANINGS = {
  1000: "normal closure", 1001: "going away", 1002: "protocol error", 1003: "unsupported data",
  1005: "no code in the Close frame", 1006: "no Close frame came", 1007: "text is not UTF-8",
  1008: "policy violation", 1009: "message too big", 1010: "extension missing",
  1011: "the server met an error", 1012: "service restart", 1013: "try again later",
};

const REFUSED = "No connection: the handshake was refused, or nobody answers. The server's log may say why.";

function describeClose({code, reason, wasClean}) {
  const meaning = MEANINGS[code] ? ` (${MEANINGS[code]})` : "";
  return `closed with ${code}${meaning}${reason ? `, reason: ${reason}` : ""}${wasClean ? "" : ", not clean"}`;
}

function describeBytes(buffer, name) {
  const bytes = new Uint8Array(buffer);
  const hex = Array.from(bytes.subarray(0, 64), (byte) => byte.toString(16).padStart(2, "0"));
  return `${name} of ${bytes.length} bytes: ${hex.join(" ")}${bytes.length > 64 ? " …" : ""}`;
}

const SHOWN = 4000;

function describeText(text) {
  return text.length <= SHOWN ? text : `${text.slice(0, SHOWN)}… (${text.length} characters)`;
}

// Lines with a time and a direction; it forgets the oldest, and draws once per frame.
class Log {
  static LINES = 500;
  static MARKS = {sent: ["→", "sent"], received: ["←", "received"]};

  constructor(list) {
    this.list = list;
    this.waiting = [];
  }

  add(kind, text) {
    if (this.waiting.length === 0) requestAnimationFrame(() => this.show());
    this.waiting.push([kind, text, new Date()]);
    // A hidden page draws nothing; it must not keep everything either.
    if (this.waiting.length > 2 * Log.LINES) this.waiting.splice(0, Log.LINES);
  }

  show() {
    const atEnd = this.list.scrollTop + this.list.clientHeight >= this.list.scrollHeight - 40;
    this.list.append(...this.waiting.splice(0).slice(-Log.LINES).map((line) => this.line(...line)));
    while (this.list.childElementCount > Log.LINES) this.list.firstElementChild.remove();
    if (atEnd) this.list.scrollTop = this.list.scrollHeight;
  }

  line(kind, text, date) {
    const item = document.createElement("li");
    item.className = kind;
    const time = document.createElement("time");
    time.textContent = date.toTimeString().slice(0, 8) + "." + String(date.getMilliseconds()).padStart(3, "0");
    const [sign, word] = Log.MARKS[kind] ?? ["·", ""];
    const mark = this.span("mark", "");
    const symbol = this.span("", sign);
    symbol.setAttribute("aria-hidden", "true");
    mark.append(symbol, this.span("hidden", word));
    item.append(time, mark, this.span("what", text));
    return item;
  }

  span(className, text) {
    const span = document.createElement("span");
    span.className = className;
    span.textContent = text;
    return span;
  }

  clear() {
    this.waiting.length = 0;
    this.list.replaceChildren();
  }
}

// The last entries of a field, the newest first, kept in the browser where it lets us.
class Entries {
  static LIMIT = 50;

  constructor(key) {
    this.key = `websockethost.${key}`;
    this.list = [];
    try {
      const kept = JSON.parse(localStorage.getItem(this.key));
      if (Array.isArray(kept)) this.list = kept.filter((entry) => typeof entry === "string").slice(0, Entries.LIMIT);
    } catch { /* no storage, or not ours: it begins empty */ }
  }

  add(text) {
    if (text === "" || text.length > SHOWN) return;
    this.list = [text, ...this.list.filter((entry) => entry !== text)].slice(0, Entries.LIMIT);
    try { localStorage.setItem(this.key, JSON.stringify(this.list)); } catch { /* forgotten with the page */ }
  }
}
