"""The procedural corpus: synthetic speech with its true phones, plans and motion."""
