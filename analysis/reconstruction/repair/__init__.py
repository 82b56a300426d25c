"""Patients along smooth hazards: their order and times, moved the least that gives every printed number back."""
