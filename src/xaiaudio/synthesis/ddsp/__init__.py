"""Sounds by rule with a gradient: harmonics and noise that a few controls make, and back."""
