"""The five published tables of density estimation, prepared as in the literature."""

from lambent.data.published.catalogue import PUBLISHED as PUBLISHED
from lambent.data.published.catalogue import Published as Published
from lambent.data.published.catalogue import find_published as find_published
from lambent.data.published.catalogue import load_published as load_published
from lambent.data.published.splits import Splits as Splits

__all__ = ["PUBLISHED", "Published", "Splits", "find_published", "load_published"]
