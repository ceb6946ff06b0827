"""What is simulated: scenario files, releases and rates, as frozen data."""
