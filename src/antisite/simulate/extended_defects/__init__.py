"""Grain boundaries, twins, faults, junctions and dislocations."""
