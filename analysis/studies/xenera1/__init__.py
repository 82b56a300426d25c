"""XENERA-1: what about 100 patients could show of xentuzumab on top of everolimus + exemestane, and what they did."""
