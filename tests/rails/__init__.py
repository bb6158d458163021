"""The rail: sending, taking in and reconciling, over HTTP with the simulator as a process of its own."""
