"""Studies of human preference: a blind page of pairs that needs no server, and Bradley–Terry scores of its answers."""
