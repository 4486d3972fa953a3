"""Sound from nothing: filters and noise, animals, beds of noise, and speech."""
