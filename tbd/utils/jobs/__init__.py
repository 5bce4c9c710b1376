"""Work in several processes, on this machine or others, and how far it is."""
