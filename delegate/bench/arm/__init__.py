"""A performance model of the NEON kernels for cores that are not at hand: see ARM.md beside it."""
