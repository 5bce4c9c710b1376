"""The mouth: its lips, what shows between them, and the teeth that a portrait shows itself."""
