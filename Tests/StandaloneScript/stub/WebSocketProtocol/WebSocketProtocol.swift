// Stands in for the real WebSocketProtocol: see ../../run.sh.
