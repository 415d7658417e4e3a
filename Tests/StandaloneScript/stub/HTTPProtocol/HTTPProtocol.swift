// Stands in for the real HTTPProtocol: see ../../run.sh.
