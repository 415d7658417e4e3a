// Stands in for the real WebSocketClient: see ../../run.sh.
