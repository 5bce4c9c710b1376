"""What the studio takes from a browser."""

MAX_UPLOAD_MIB = 64
"""Size of a file."""
MAX_SECONDS = 60.0
"""Length of a voice."""
MAX_CHARACTERS = 500
"""Length of a sentence, and of words to speak."""
MAX_ACTIONS = 100
"""Number of a plan's actions."""
MAX_QUEUE = 16
"""Number of waiting requests."""
MAX_SESSIONS = 32
"""Number of tabs at once; the one that has been idle for longest makes room."""
MAX_IDLE = 2 * 3600.0
"""Seconds after which what a tab left behind is removed, should its end not have been noticed."""
MAX_UNDO = 200
"""Number of edits that can be taken back."""
PREVIEW_SIZE = 256
"""Longer side of a preview in pixels."""
SIZES = (256, 512, 768, 1024, 1280, 1920)
"""Longer sides of a full video in pixels."""
MAX_SPEAKERS = 4
"""Number of tabs that speak live at the same time."""
LONGEST_CLIP = 60.0
"""Length of a video whose speaker is dubbed, in seconds."""
