"""The press: it makes the site from posts, templates and recorded runs."""
