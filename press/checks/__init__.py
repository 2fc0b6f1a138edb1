"""Checks of settings and of a site that was made."""
