"""Plans for the eye: on a terminal, and as a face chart."""
