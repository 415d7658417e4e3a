"use strict";

const LINES = 500;
const room = find("#room"), form = find("form.say");
// Each try waits twice as long as the one before, and a little more or less than the other windows.
const FIRST_WAIT = 500, LONGEST_WAIT = 15000;
let socket = null, wait = FIRST_WAIT;

function connect() {
  socket = new WebSocket(addressOf("/chat"));
  socket.onopen = () => {
    wait = FIRST_WAIT;
    showState("open", "open");
    form.querySelector("button").disabled = false;
  };
  socket.onmessage = ({data}) => show(data);
  socket.onclose = () => {
    showState("not connected; trying again…", "failed");
    form.querySelector("button").disabled = true;
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
}

// The server made this markup and escaped in it what people wrote.
function show(markup) {
  const atEnd = room.scrollTop + room.clientHeight >= room.scrollHeight - 40;
  room.insertAdjacentHTML("beforeend", markup);
  while (room.childElementCount > LINES) room.firstElementChild.remove();
  if (atEnd) room.scrollTop = room.scrollHeight;
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (socket.readyState !== WebSocket.OPEN || form.text.value === "") return;
  socket.send(form.text.value);
  form.text.value = "";
});
connect();
closeWithPage(() => socket);
