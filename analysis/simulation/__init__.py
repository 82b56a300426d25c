"""The replicate engine: simulated trials and their operating characteristics."""
