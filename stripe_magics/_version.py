"""The version: here and nowhere else; the build reads it."""

__version__ = "0.3.0"
