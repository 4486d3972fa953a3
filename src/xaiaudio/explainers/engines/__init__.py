"""What methods share: asking about changed inputs, and going back through the network."""
