// The benchmark without its page, so that a worker can run it too.
"use strict";

// Opens the sockets, times every size, and reports each as {run, size, mean, least, rate}.
// `settings`: address, sockets, rounds, from, upTo, factor, data, verify, and runs: "send", "receive".
async function runBenchmark(settings, report) {
  const sockets = await Promise.all(Array.from({length: settings.sockets}, () => openSocket(settings)));
  try {
    for (const run of settings.runs) {
      for (let size = settings.from; size <= settings.upTo; size *= settings.factor) {
        report({run, size, ...await time(run, size, sockets, settings)});
      }
    }
  } finally {
    for (const {socket} of sockets) socket.close(1000);
  }
}

// Resolves with the socket and a function that waits for its next message.
function openSocket({address, data}) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(address);
    socket.binaryType = data === "blob" ? "blob" : "arraybuffer";
    let waiting = null;
    const next = () => new Promise((resolve, reject) => { waiting = {resolve, reject}; });
    socket.onopen = () => resolve({socket, next});
    socket.onmessage = (event) => waiting?.resolve(event.data);
    socket.onclose = ({code, reason}) => {
      const error = new Error(`the connection ended with ${code} ${reason}`.trim());
      waiting?.reject(error);
      reject(error);
    };
  });
}

async function time(run, size, sockets, settings) {
  const body = run === "send" ? makeBody(size, settings.data) : null;
  const exchange = run === "send" ? sendOnce : receiveOnce;
  await Promise.all(sockets.map((end) => exchange(end, size, body, settings))); // to warm up
  const spans = [];
  const begin = performance.now();
  for (let round = 0; round < settings.rounds; round++) {
    await Promise.all(sockets.map(async (end) => {
      const start = performance.now();
      await exchange(end, size, body, settings);
      spans.push(performance.now() - start);
    }));
  }
  const seconds = (performance.now() - begin) / 1000;
  return {
    mean: spans.reduce((sum, span) => sum + span, 0) / spans.length,
    least: Math.min(...spans),
    rate: size * spans.length / 1e6 / seconds,
  };
}

function makeBody(size, data) {
  if (data === "text") return "a".repeat(size);
  const bytes = new Uint8Array(size).fill(97);
  return data === "blob" ? new Blob([bytes]) : bytes.buffer;
}

async function sendOnce({socket, next}, size, body, {verify}) {
  const answer = next();
  socket.send(`send ${verify ? 1 : 0}`);
  socket.send(body);
  const text = await answer;
  if (text !== String(size)) throw new Error(`sent ${size} bytes, the server says: ${text}`);
}

async function receiveOnce({socket, next}, size, _, {verify}) {
  const answer = next();
  socket.send(`receive ${size}`);
  const data = await answer;
  const count = typeof data === "string" ? -1 : data.byteLength ?? data.size;
  if (count !== size) throw new Error(`asked for ${size} bytes, got ${count < 0 ? data : count}`);
  if (!verify) return;
  const bytes = new Uint8Array(data instanceof Blob ? await data.arrayBuffer() : data);
  if (!bytes.every((byte) => byte === 97)) throw new Error("the bytes are not all the same");
}
