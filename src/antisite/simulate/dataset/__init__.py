"""Labelled patches and images without end."""
