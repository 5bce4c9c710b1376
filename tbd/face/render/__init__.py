"""A portrait, warped by a motion: mesh, mouth, eyes, head, wrinkles, background."""
