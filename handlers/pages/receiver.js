"use strict";

const log = new Log(find(".log"));
const form = find("form.send");
const socket = new WebSocket(addressOf("/print"));
let wasOpen = false;

socket.onopen = () => {
  wasOpen = true;
  showState("open", "open");
  form.querySelector("button").disabled = false;
  form.text.select();
};
socket.onclose = (event) => {
  log.add("error", wasOpen ? describeClose(event) : REFUSED);
  showState("not connected: reload the page", "failed");
  form.querySelector("button").disabled = true;
};
onSubmit(form, () => {
  socket.send(form.text.value);
  log.add("sent", form.text.value);
  form.text.select();
}, (text) => log.add("error", text));
closeWithPage(() => socket);
