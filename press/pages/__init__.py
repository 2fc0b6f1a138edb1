"""Whole pages of the site."""
