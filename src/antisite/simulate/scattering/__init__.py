"""How a column of atoms scatters a focused beam onto annular detectors."""
