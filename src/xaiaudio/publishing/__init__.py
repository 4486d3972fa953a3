"""From chapter to book: execute, gate, compare with the baselines, render."""
