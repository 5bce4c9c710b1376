"""Eyes of a portrait: eyeballs, lids open and shut, and the skin between lids and brows."""
