"""Round Gaussian columns whose brightness is given, not computed: quick, exact, without scattering."""
