"""Where fits run: in this process, in threads, in worker processes, on a cluster."""
