"use strict";

const form = find("form.send"), close = find(".close"), again = find(".again");
const STEPS = ["connecting", "opened", "sent", "received", "closed"];
let socket = null;

function step(name, text, className = "done") {
  const item = document.getElementById(name);
  item.className = className;
  item.querySelector(".what").textContent = text;
}

function connect() {
  for (const name of STEPS) step(name, "", "");
  const address = addressOf("/echo");
  let wasOpen = false;
  socket = new WebSocket(address);
  step("connecting", "The handshake is on its way.");
  showState("connecting…");
  update();
  socket.onopen = () => {
    wasOpen = true;
    const extensions = socket.extensions ? ` The extension agreed on: ${socket.extensions}.` : "";
    step("opened", `The connection is open.${extensions} Now send something.`);
    showState("open", "open");
    update();
    form.text.select();
  };
  socket.onmessage = ({data}) => step("received", `The echo: “${data}”`);
  socket.onclose = (event) => {
    if (!wasOpen) step("opened", REFUSED, "wrong");
    step("closed", wasOpen ? describeClose(event) : "There was nothing to close.", event.wasClean ? "done" : "wrong");
    showState(wasOpen ? `closed with ${event.code}` : "not connected", event.wasClean ? "" : "failed");
    update();
  };
}

function update() {
  const isOpen = socket.readyState === WebSocket.OPEN;
  form.querySelector("button").disabled = close.disabled = !isOpen;
  again.disabled = socket.readyState !== WebSocket.CLOSED;
}

onSubmit(form, () => {
  step("received", "", "");
  socket.send(form.text.value);
  step("sent", `Sent: “${form.text.value}”`);
}, (text) => step("sent", text, "wrong"));
close.addEventListener("click", () => socket.close(1000, "enough"));
again.addEventListener("click", connect);
find(".address").textContent = addressOf("/echo");
if ("WebSocket" in window) {
  step("support", "Yes, it supports WebSocket.");
  connect();
} else {
  step("support", "No, it does not support WebSocket.", "wrong");
}
closeWithPage(() => socket);
