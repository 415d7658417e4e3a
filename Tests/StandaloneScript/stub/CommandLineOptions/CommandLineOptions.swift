// Stands in for the real CommandLineOptions: see ../../run.sh.
