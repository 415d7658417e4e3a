// Stands in for the real Supervisor: see ../../run.sh.
