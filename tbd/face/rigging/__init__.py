"""The rig's parts: muscles, the skin that they pull, the eyes and the mouth."""
