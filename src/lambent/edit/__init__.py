"""Editing images in latent space."""

from lambent.edit.latent import interpolate as interpolate
from lambent.edit.latent import reconstruct as reconstruct
