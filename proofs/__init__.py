"""Proofs that take too long for a test: what must hold is audited after a run under load, with faults."""
