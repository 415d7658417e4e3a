// Stands in for the real WebSocketConnection: see ../../run.sh.
