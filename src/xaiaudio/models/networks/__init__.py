"""The backbones, one file each."""
