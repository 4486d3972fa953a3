"""Training and testing: transfer learning, pretraining, cross-validation, tables of patches."""
