"use strict";

const form = find("form.settings"), rows = find("tbody"), stop = find(".stop");
const starts = Array.from(document.querySelectorAll("[data-run]"));
let lines = [];
// Ends the run at its next line.
let cancel = null;

function settings(run) {
  const number = (name) => {
    const {value, min, max} = form[name];
    const number = Math.trunc(Number(value));
    if (!(number >= Number(min)) || (max && number > Number(max))) {
      throw new Error(`${form[name].closest("label").firstChild.textContent.trim()}: ${value} is not possible`);
    }
    return number;
  };
  return {
    address: form.address.value, sockets: number("sockets"), rounds: number("rounds"), from: number("from"),
    upTo: number("upTo"), factor: number("factor"), data: form.data.value, verify: form.verify.checked,
    runs: run === "batch" ? ["send", "receive"] : [run],
  };
}

async function start(run) {
  let isStopped = false;
  const report = (line) => {
    if (isStopped) throw new Error("stopped");
    addLine(line);
  };
  setRunning(true);
  showState("running…", "open");
  try {
    const chosen = settings(run);
    if (form.worker.checked) {
      await inWorker(chosen, report);
    } else {
      cancel = () => { isStopped = true; };
      await runBenchmark(chosen, report);
    }
    showState("done");
  } catch (error) {
    showState(error.message, error.message === "stopped" ? "" : "failed");
  }
  setRunning(false);
}

function inWorker(chosen, report) {
  return new Promise((resolve, reject) => {
    const worker = new Worker("benchmark_worker.js"); // a page that was opened as a file may not have one
    const end = (error) => {
      worker.terminate();
      if (error) reject(error); else resolve();
    };
    cancel = () => end(new Error("stopped"));
    worker.onerror = (event) => end(new Error(event.message || "the worker could not be loaded"));
    worker.onmessage = ({data}) => {
      if (data.line) report(data.line);
      if (data.end) end(data.error && new Error(data.error));
    };
    worker.postMessage(chosen);
  });
}

function setRunning(isRunning) {
  for (const button of starts) button.disabled = isRunning;
  stop.disabled = !isRunning;
}

function addLine(line) {
  lines.push(line);
  const row = rows.insertRow();
  const {run, size, mean, least, rate} = line;
  for (const text of [run, size.toLocaleString("en"), mean.toFixed(2), least.toFixed(2), rate.toFixed(1)]) {
    row.insertCell().textContent = text;
  }
  const bar = row.insertCell();
  bar.className = "bar";
  bar.append(document.createElement("span"));
  drawBars();
}

function drawBars() {
  const most = Math.max(...lines.map((line) => line.rate));
  Array.from(rows.rows).forEach((row, index) => {
    row.querySelector(".bar span").style.width = `${Math.max(1, 100 * lines[index].rate / most)}%`;
  });
}

function clear() {
  lines = [];
  rows.replaceChildren();
}

for (const button of starts) button.addEventListener("click", () => start(button.dataset.run));
form.addEventListener("submit", (event) => event.preventDefault());
stop.addEventListener("click", () => cancel?.());
find(".clear").addEventListener("click", clear);
form.address.value = addressOf("/benchmark_helper");
