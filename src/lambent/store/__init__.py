"""Saving and loading: model files and run folders."""

from lambent.store.model import load as load
from lambent.store.model import save as save
from lambent.store.run import RunFolder as RunFolder
from lambent.store.weights import WeightsName as WeightsName
from lambent.store.weights import take_weights as take_weights
