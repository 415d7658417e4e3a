// Echo on Node's `ws`, and a broadcast on /broadcast.
//
//     ws_echo.js PORT [on|off]
//
// permessage-deflate is on with the package's own defaults, or off.
const { WebSocketServer } = require('ws');

const compression = process.argv[3] === 'off' ? false : { threshold: 0 };
const members = new Set();
const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(process.argv[2]), perMessageDeflate: compression, backlog: 4096,
});
server.on('connection', (socket, request) => {
  const receivers = request.url === '/broadcast' ? members : [socket];
  socket.on('error', () => {});
  socket.on('message', (data, isBinary) => {
    for (const receiver of receivers) receiver.send(data, { binary: isBinary });
  });
  if (receivers === members) {
    members.add(socket);
    socket.on('close', () => members.delete(socket));
  }
});
