"use strict";

const prices = find("#prices"), number = find("#number"), feeds = new Log(find("#feeds"));
// Each try waits twice as long as the one before, and a little more or less than the other windows.
const FIRST_WAIT = 500, LONGEST_WAIT = 15000;
// A bar of this price, in cents, is as long as its cell.
const HIGHEST = 20000;
const rows = new Map();
let socket = null, wait = FIRST_WAIT, process = null;

function connect() {
  socket = new WebSocket(addressOf("/ticker"));
  socket.onopen = () => {
    wait = FIRST_WAIT;
    showState("open", "open");
  };
  socket.onmessage = ({data}) => show(JSON.parse(data));
  socket.onclose = () => {
    showState("not connected; trying again…", "failed");
    setTimeout(connect, wait * (0.75 + Math.random() / 2));
    wait = Math.min(2 * wait, LONGEST_WAIT);
  };
}

function show(tick) {
  if (tick.process !== process) {
    process = tick.process;
    feeds.add("note", `process ${process} has the feed`);
  }
  const row = rows.get(tick.share) ?? addRow(tick);
  const change = (tick.price - row.price) / 100;
  row.price = tick.price;
  row.cells[1].textContent = (tick.price / 100).toFixed(2);
  row.cells[2].textContent = (change < 0 ? "−" : "+") + Math.abs(change).toFixed(2);
  row.bar.style.width = `${Math.min(100, 100 * tick.price / HIGHEST)}%`;
  number.textContent = `Tick ${tick.number} of process ${tick.process}`;
}

function addRow({share, price}) {
  const row = prices.insertRow();
  const cells = Array.from({length: 4}, () => row.insertCell());
  const bar = document.createElement("span");
  cells[0].textContent = share;
  cells[3].className = "bar";
  cells[3].append(bar);
  rows.set(share, {cells, bar, price});
  return rows.get(share);
}

connect();
closeWithPage(() => socket);
