"use strict";

const STATES = ["CONNECTING", "OPEN", "CLOSING", "CLOSED"];
const forms = Object.fromEntries(["connect", "close", "send", "file"].map((name) => [name, find(`form.${name}`)]));
const log = new Log(find(".log"));
const addresses = new Entries("addresses");
const messages = new Entries("messages");
let socket = null;
// Where ↑ and ↓ are in the history; -1 is what is being written, kept in `draft`.
let place = -1, draft = "";

function tell(text) {
  log.add("error", text);
}

function connect() {
  if (socket && socket.readyState !== WebSocket.CLOSED) return tell("This one is connected already.");
  const names = forms.connect.subprotocols.value.split(",").map((name) => name.trim()).filter(Boolean);
  const opening = new WebSocket(forms.connect.address.value, names);
  socket = opening;
  opening.binaryType = find(".binary-type").value;
  addresses.add(forms.connect.address.value);
  listAddresses();
  let wasOpen = false;
  log.add("note", `connecting to ${opening.url}${names.length ? `, subprotocols ${names.join(", ")}` : ""}`);
  opening.onopen = () => {
    wasOpen = true;
    log.add("note", `open${opening.protocol ? `, subprotocol ${opening.protocol}` : ""}`
      + (opening.extensions ? `, ${opening.extensions}` : ""));
    update();
    forms.send.text.focus();
  };
  opening.onmessage = ({data}) => receive(data);
  opening.onclose = (event) => {
    if (wasOpen) log.add(event.wasClean ? "note" : "error", describeClose(event)); else tell(REFUSED);
    update(wasOpen ? `closed with ${event.code}` : "not connected", event.wasClean ? "" : "failed");
  };
  update();
}

async function receive(data) {
  if (typeof data === "string") return log.add("received", describeText(data));
  if (data instanceof ArrayBuffer) return log.add("received", describeBytes(data, "ArrayBuffer"));
  log.add("received", describeBytes(await data.slice(0, 64).arrayBuffer(), "Blob")
    .replace(/of \d+ bytes/, `of ${data.size} bytes`));
}

function isReady() {
  if (socket?.readyState === WebSocket.OPEN) return true;
  tell("Not connected: connect first.");
  return false;
}

function send() {
  if (!isReady()) return;
  const field = forms.send.text;
  socket.send(field.value);
  log.add("sent", describeText(field.value));
  messages.add(field.value);
  [place, draft] = [-1, ""];
  field.value = "";
  field.focus();
}

function sendFile() {
  const [file] = forms.file.file.files;
  if (!file) return tell("Choose a file first.");
  if (!isReady()) return;
  socket.send(file);
  log.add("sent", `${file.name}, ${file.size} bytes`);
}

function close() {
  if (!socket || socket.readyState === WebSocket.CLOSED) return tell("Not connected.");
  const {code, reason} = forms.close;
  if (code.value === "") socket.close(); else socket.close(Number(code.value), reason.value);
  log.add("note", code.value === "" ? "closing without a code" : `closing with ${code.value} ${reason.value}`.trim());
  update();
}

// Shows the ready state, or `text`, and what can be done now.
function update(text, className) {
  const state = socket ? socket.readyState : WebSocket.CLOSED;
  const isOpen = state === WebSocket.OPEN, isClosed = state === WebSocket.CLOSED;
  showState(text ?? STATES[state], className ?? (isOpen ? "open" : ""));
  forms.connect.querySelector("button").disabled = !isClosed;
  forms.close.querySelector("button").disabled = isClosed;
  forms.send.querySelector("button").disabled = forms.file.querySelector("button").disabled = !isOpen;
}

function printState() {
  if (!socket) return log.add("note", "no socket yet");
  const {readyState, url, protocol, extensions, binaryType, bufferedAmount} = socket;
  log.add("note", `readyState ${readyState} (${STATES[readyState]})\nurl ${url}\nprotocol ${JSON.stringify(protocol)}\n`
    + `extensions ${JSON.stringify(extensions)}\nbinaryType ${binaryType}\nbufferedAmount ${bufferedAmount}`);
}

function listAddresses() {
  const suggested = new Set([...addresses.list, ...["/echo", "/say", "/hello", "/close"].map(addressOf)]);
  find("#addresses").replaceChildren(...Array.from(suggested, (value) => new Option(value, value)));
}

function step(change) {
  const target = Math.max(-1, Math.min(messages.list.length - 1, place + change));
  if (place === -1) draft = forms.send.text.value;
  place = target;
  forms.send.text.value = place === -1 ? draft : messages.list[place];
}

forms.send.text.addEventListener("keydown", (event) => {
  const {value, selectionStart, selectionEnd} = event.target;
  if (event.isComposing || event.shiftKey) return;
  if (event.key === "Enter") forms.send.requestSubmit();
  // In a text of several lines the arrows move, up to its first and last line.
  else if (event.key === "ArrowUp" && !value.slice(0, selectionStart).includes("\n")) step(1);
  else if (event.key === "ArrowDown" && !value.slice(selectionEnd).includes("\n")) step(-1);
  else return;
  event.preventDefault();
});

for (const [name, action] of Object.entries({connect, close, send, file: sendFile})) {
  onSubmit(forms[name], action, tell);
}
find(".binary-type").addEventListener("change", ({target}) => { if (socket) socket.binaryType = target.value; });
find(".times").addEventListener("change", ({target}) => log.list.classList.toggle("no-times", !target.checked));
find(".print-state").addEventListener("click", printState);
find(".clear").addEventListener("click", () => log.clear());
forms.connect.address.value = addressOf("/echo");
listAddresses();
closeWithPage(() => socket);
