// Stands in for the real Logging: see ../../run.sh.
