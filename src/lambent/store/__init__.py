"""Saving and loading: model files, run folders, and tables of arrays."""

from lambent.store.checkpoint import read_checkpoint as read_checkpoint
from lambent.store.column import Column as Column
from lambent.store.column import Rows as Rows
from lambent.store.model import load as load
from lambent.store.model import save as save
from lambent.store.pretrained import folder_named as folder_named
from lambent.store.pretrained import pretrained as pretrained
from lambent.store.rows import read_rows as read_rows
from lambent.store.rows import writing_rows as writing_rows
from lambent.store.run import RunFolder as RunFolder
from lambent.store.table import TABLE_SUFFIXES as TABLE_SUFFIXES
from lambent.store.table import write_arrow as write_arrow
from lambent.store.weights import WeightsName as WeightsName
from lambent.store.weights import take_weights as take_weights
