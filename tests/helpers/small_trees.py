"""A tree of classes whose groups are of different sizes."""

from xaiaudio.models.designs.trees import Tree

UNEVEN = Tree(
    ("a", "b", "c", "d", "e"),
    (("one", "two", "one", "one", "three"), ("top", "top", "top", "top", "other")),
)
