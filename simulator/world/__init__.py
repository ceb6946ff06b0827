"""What physically happens, in simulated time."""
