"""Reports to the regulator: one for each completed transfer."""
