"""Blocks that a post can call."""
