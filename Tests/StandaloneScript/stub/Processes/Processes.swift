// Stands in for the real Processes: see ../../run.sh.
