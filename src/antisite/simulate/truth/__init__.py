"""What is really in a simulated image, and files that say so."""
