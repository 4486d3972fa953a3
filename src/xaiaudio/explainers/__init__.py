"""Explanation methods, one file each, and the two engines that most of them stand on."""
