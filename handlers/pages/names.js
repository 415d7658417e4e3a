"use strict";

const LINES = 500;
const room = find("#room"), form = find("form.say"), again = find(".join");
let socket = null;

function connect() {
  let wasOpen = false;
  socket = new WebSocket(addressOf("/names"));
  again.disabled = true;
  socket.onopen = () => {
    wasOpen = true;
    showState("open", "open");
    form.querySelector("button").disabled = false;
    form.text.focus();
  };
  socket.onmessage = ({data}) => show(data);
  socket.onclose = (event) => {
    showState(wasOpen ? `closed with ${event.code}` : "not connected", event.wasClean ? "" : "failed");
    form.querySelector("button").disabled = true;
    again.disabled = false;
    if (!wasOpen) show(REFUSED, "failed");
  };
}

function show(text, className = "") {
  const atEnd = room.scrollTop + room.clientHeight >= room.scrollHeight - 40;
  const line = document.createElement("li");
  line.className = className;
  line.textContent = text; // text, and no markup: nothing has to be escaped
  room.append(line);
  while (room.childElementCount > LINES) room.firstElementChild.remove();
  if (atEnd) room.scrollTop = room.scrollHeight;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN || form.text.value === "") return;
  socket.send(form.text.value);
  form.text.value = "";
});
again.addEventListener("click", connect);
connect();
closeWithPage(() => socket);
