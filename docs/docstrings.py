"""Lets mkdocstrings read our code as we mean it."""

import re

import griffe

ROLE = re.compile(r":(?:attr|class|exc|func|meth|mod):`~?([^`]+)`")
EXAMPLE = re.compile(r"^(\s*)Example:$", re.MULTILINE)


class Docstrings(griffe.Extension):
    """``Example:`` is a section, Sphinx roles are code, a room's imports are its public names."""

    def on_object(
        self, *, obj: griffe.Object, loader: griffe.GriffeLoader, **kwargs: object
    ) -> None:
        """Rewrite the docstring of one object.

        Args:
            obj: The object.
            loader: Not used.
            **kwargs: Not used.
        """
        if obj.docstring:
            text = EXAMPLE.sub(r"\1Examples:", obj.docstring.value)
            obj.docstring.value = ROLE.sub(r"`\1`", text)

    def on_module(
        self, *, mod: griffe.Module, loader: griffe.GriffeLoader, **kwargs: object
    ) -> None:
        """Export what a room's ``__init__`` imports, where it has no ``__all__``.

        Args:
            mod: The module.
            loader: Not used.
            **kwargs: Not used.
        """
        if mod.is_init_module and mod.exports is None:
            mod.exports = [
                name
                for name, member in mod.members.items()
                if isinstance(member, griffe.Alias) and member.target_path.startswith("lambent.")
            ]
