"""Methods that are trained on sounds before they explain, and what they share."""
