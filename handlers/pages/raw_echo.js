"use strict";

const log = new Log(find(".log"));
const connectForm = find("form.connect"), sizeForm = find("form.sizes");
let socket = null;

function connect() {
  const opening = socket = new WebSocket(connectForm.address.value);
  let wasOpen = false;
  log.add("note", `connecting to ${opening.url}`);
  showState("connecting…");
  connectForm.querySelector("button").disabled = true;
  opening.onopen = () => {
    wasOpen = true;
    showState("open", "open");
    sizeForm.querySelector("button").disabled = false;
    send("ok");
  };
  opening.onmessage = ({data}) => log.add("received", brief(data));
  opening.onclose = (event) => {
    log.add(event.wasClean ? "note" : "error", wasOpen ? describeClose(event) : REFUSED);
    showState(wasOpen ? `closed with ${event.code}` : "not connected", event.wasClean ? "" : "failed");
    sizeForm.querySelector("button").disabled = true;
    connectForm.querySelector("button").disabled = false;
  };
}

function send(text) {
  socket.send(text);
  log.add("sent", brief(text));
}

// A long text is told by its length, and by its end, where the suffix is.
function brief(text) {
  return text.length <= 200 ? text : `${text.slice(0, 20)}…${text.slice(-30)} (${text.length} characters)`;
}

onSubmit(connectForm, connect, (text) => log.add("error", text));
onSubmit(sizeForm, () => send("x".repeat(Number(sizeForm.size.value))), (text) => log.add("error", text));
connectForm.address.value = addressOf("/");
closeWithPage(() => socket);
