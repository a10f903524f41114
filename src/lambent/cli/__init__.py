"""The command line."""

from lambent.cli.main import main as main
