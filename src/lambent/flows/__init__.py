"""Families of flows; importing this registers them."""

from lambent.flows.glow import glow as glow
from lambent.flows.glow_config import GlowConfig as GlowConfig
