"""What is measured on faces in pixels: crops, points, identity, emotion, reenactment."""
