// Echo on Node's `ws` with permessage-deflate on and its own defaults for the rest.
//
//     ws_echo.js PORT
const { WebSocketServer } = require('ws');

const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: { threshold: 0 }, backlog: 4096,
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
