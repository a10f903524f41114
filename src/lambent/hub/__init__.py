"""Exchange with other code: reading models that it trained, writing programs that it runs."""

from lambent.hub.export import Exported as Exported
from lambent.hub.export import export_program as export_program
from lambent.hub.export import run_program as run_program
from lambent.hub.layouts import import_weights as import_weights
