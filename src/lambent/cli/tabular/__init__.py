"""``lambent bench tabular``: families of vectors on the published tables."""
