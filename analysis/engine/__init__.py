"""Simulated patients, compiled: drawn, seen at their visits, cut, and counted at risk."""
