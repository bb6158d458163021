"""The rail that carries payments to other banks: sending, taking in what it reports, and reconciling with it."""
