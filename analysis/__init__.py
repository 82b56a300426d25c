"""From a trial's reported numbers to survival curves, simulated endpoints and power."""
