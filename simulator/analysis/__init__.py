"""What it meant: from events to metrics, estimates and pictures."""
