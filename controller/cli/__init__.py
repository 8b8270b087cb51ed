"""The `farm` program: commands parse, ask once, print."""

from controller.cli.program import main

__all__ = ["main"]
