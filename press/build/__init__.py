"""One build of the site: what is stale, made and written whole."""
