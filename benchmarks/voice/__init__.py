"""The voice: acting by rule, the fit of the head that ships, and how it reads real recordings."""
