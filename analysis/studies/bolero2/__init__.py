"""BOLERO-2: its curves, reconstructed from what was printed."""
