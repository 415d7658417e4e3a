// Stands in for the real EventLoop: see ../../run.sh.
