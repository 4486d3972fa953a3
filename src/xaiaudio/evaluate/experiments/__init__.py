"""Tests by a known cause: answers made wrong on purpose, and a cheat that was planted."""
