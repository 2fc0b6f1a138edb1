"""What Jinja makes of the templates, kept from build to build."""

from jinja2.bccache import Bucket, BytecodeCache

from press.cache import Cache


class CompiledTemplates(BytecodeCache):
    """Keeps compiled templates in the cache, whose seal keeps broken code from being run."""

    def __init__(self, cache: Cache) -> None:
        """Name the cache."""
        self.cache = cache

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fill a bucket with what was kept for its template and that template's text."""
        kept = self.cache.get("templates", f"{bucket.key}|{bucket.checksum}")
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was made of a template."""
        kept = bucket.bytecode_to_string()
        self.cache.put("templates", f"{bucket.key}|{bucket.checksum}", kept)
