"""Reading models that other code trained."""

from lambent.hub.layouts import import_weights as import_weights
