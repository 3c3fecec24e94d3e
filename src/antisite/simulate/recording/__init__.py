"""What happens after scattering: the scan, the film of carbon, counted electrons, the read-out."""
