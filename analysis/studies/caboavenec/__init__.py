"""CaboAveNEC: disease control at 16 weeks and every other registered outcome."""
