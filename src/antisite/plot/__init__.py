"""Pictures: data in, Axes out."""
