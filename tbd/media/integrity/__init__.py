"""Whether a file is what its name and its headers say: truncated, damaged, of another kind."""
