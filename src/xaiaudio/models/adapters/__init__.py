"""Somebody else's network becomes a classifier: TFLite, ONNX, SavedModel, and any function."""
