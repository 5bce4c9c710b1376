"""Data sets as they are downloaded: which clips are there, and what their names and labels say."""
