"""What users write for an option: literals, nearest names, and errors in one sentence."""
