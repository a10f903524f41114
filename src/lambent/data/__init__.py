"""Data sets: loading, batches, and pictures on disk."""

from lambent.data.augment import Windows as Windows
from lambent.data.columns import ColumnFacts as ColumnFacts
from lambent.data.config import DataConfig as DataConfig
from lambent.data.holdout import hold_out as hold_out
from lambent.data.images import Images as Images
from lambent.data.levels import level_of as level_of
from lambent.data.load import load_events as load_events
from lambent.data.load import load_images as load_images
from lambent.data.load import load_uncut as load_uncut
from lambent.data.loader import ShuffledBatches as ShuffledBatches
from lambent.data.loader import batches as batches
from lambent.data.one_class import OneClassBatches as OneClassBatches
from lambent.data.order import shuffled as shuffled
from lambent.data.pictures import grid as grid
from lambent.data.pictures import read_picture as read_picture
from lambent.data.pictures import to_picture as to_picture
from lambent.data.pictures import write_picture as write_picture
from lambent.data.read_table import load_table as load_table
from lambent.data.read_table import read_table as read_table
from lambent.data.read_table import table_like as table_like
from lambent.data.recipes import RECIPES as RECIPES
from lambent.data.recipes import recipe as recipe
from lambent.data.set import EventSet as EventSet
from lambent.data.set import ImageSet as ImageSet
from lambent.data.table import Table as Table
from lambent.data.tabular import arrow_from as arrow_from
from lambent.data.tasks import Task as Task
from lambent.data.tasks import task_named as task_named
from lambent.data.toy import SHAPES as SHAPES
from lambent.data.toy import crescents as crescents
from lambent.data.toy import sectors as sectors
from lambent.data.toy import seven_shapes as seven_shapes

__all__ = [
    "RECIPES",
    "SHAPES",
    "ColumnFacts",
    "DataConfig",
    "EventSet",
    "ImageSet",
    "Images",
    "OneClassBatches",
    "ShuffledBatches",
    "Table",
    "Task",
    "Windows",
    "arrow_from",
    "batches",
    "crescents",
    "grid",
    "hold_out",
    "level_of",
    "load_events",
    "load_images",
    "load_table",
    "load_uncut",
    "read_picture",
    "read_table",
    "recipe",
    "sectors",
    "seven_shapes",
    "shuffled",
    "table_like",
    "task_named",
    "to_picture",
    "write_picture",
]
