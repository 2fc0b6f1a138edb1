"""All results of a site as data: results.json, results.csv, and an RO-Crate that describes both."""

import json
from collections.abc import Sequence

from press.page import PageContext
from press.pages.site_pages import Site
from press.results.export import results_csv, results_json
from press.results.record import Record

URL = "results.json"
CRATE = "ro-crate-metadata.json"
FILES = {
    "results.csv": ("Every output of every recorded run, a line each", "text/csv"),
    URL: ("The same, with settings and environment of each run", "application/json"),
}


def results_page(context: PageContext, site: Site) -> str:
    """The JSON of all results; the CSV and the crate are written beside it."""
    views = [context.results.suite(name) for name in context.results.suites]
    records = [run.record for view in views for run in view.all_runs if run.record]
    metrics = context.results.metrics
    context.add("results.csv", results_csv(records, metrics))
    context.add(CRATE, _crate(records, site))
    return results_json(records, metrics).decode()


def _crate(records: Sequence[Record], site: Site) -> bytes:
    """The metadata of an RO-Crate; it is as old as the newest record."""
    from rocrate.rocrate import ROCrate

    crate = ROCrate()
    crate.name = f"Results of {site.title}"
    crate.description = site.description or crate.name
    crate.datePublished = max((record.started for record in records), default="")[:10]
    if not crate.datePublished:  # else the library says today
        del crate.root_dataset["datePublished"]
    if site.licence:
        crate.license = site.licence
    if site.base_url:
        crate.root_dataset["url"] = site.base_url
    for url, (words, kind) in FILES.items():
        crate.add_file(url, properties={"name": words, "encodingFormat": kind})
    return json.dumps(crate.metadata.generate(), ensure_ascii=False, indent=1).encode()
