"""What is the perfect crystal here: spacing, lattice, distortion, sublattices, columns."""
