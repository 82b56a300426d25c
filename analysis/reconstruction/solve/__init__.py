"""Smooth hazards that agree with a report: the forward map, its derivatives, and draws conditioned on the report."""
