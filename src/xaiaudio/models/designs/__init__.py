"""Networks that explain themselves: their answer is a sum of parts."""
