"""Perfect crystals as columns of atoms, from a library or from structure files."""
