"""Mistakes in what a person wrote, each a sentence with its place."""

from dip.errors import InputError, nearest, sentence_of

__all__ = ["InputError", "nearest", "sentence_of"]
