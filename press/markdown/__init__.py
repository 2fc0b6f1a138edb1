"""A post's Markdown: parsed, resolved and rendered."""
