"""The HTTP edge: JSON for the `farm` program and for other programs."""
