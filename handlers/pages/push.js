"use strict";

function talk(section, path) {
  const log = new Log(section.querySelector(".log")), state = section.querySelector(".state");
  const button = section.querySelector("button");
  const socket = new WebSocket(addressOf(path));
  let wasOpen = false;
  const show = (text, className) => {
    state.textContent = text;
    state.className = `state ${className}`;
    if (button) button.disabled = socket.readyState !== WebSocket.OPEN;
  };
  socket.onopen = () => {
    wasOpen = true;
    show("open", "open");
  };
  socket.onmessage = ({data}) => log.add("received", data);
  socket.onclose = (event) => {
    log.add("error", wasOpen ? describeClose(event) : REFUSED);
    show("not connected", "failed");
  };
  closeWithPage(() => socket);
  return {socket, log};
}

talk(find("#push"), "/hello");
const {socket, log} = talk(find("#answer"), "/say");
const form = find("form.send");
onSubmit(form, () => {
  socket.send(form.text.value);
  log.add("sent", form.text.value);
  form.text.value = "";
}, (text) => log.add("error", text));
