// Stands in for the real WebSocketHostTesting: see ../../run.sh.
