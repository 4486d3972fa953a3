"""Explanations: one file a method, all called through :func:`xaiaudio.explain`."""
