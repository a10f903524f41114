"""Families of flows; importing this registers them."""

from lambent.flows.glow import GlowConfig as GlowConfig
from lambent.flows.glow import glow as glow
