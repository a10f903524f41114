"""Saving and loading: model files and run folders."""

from lambent.store.model import load as load
from lambent.store.model import save as save
from lambent.store.pretrained import folder_named as folder_named
from lambent.store.pretrained import pretrained as pretrained
from lambent.store.run import RunFolder as RunFolder
