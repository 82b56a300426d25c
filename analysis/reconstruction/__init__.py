"""Pseudo-patient data sets that reproduce a report."""
