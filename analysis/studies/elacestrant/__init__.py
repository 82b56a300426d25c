"""Elacestrant + exemestane selected by FES-PET: the progression-free rate at 6 months."""
