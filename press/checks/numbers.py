"""The report of `check --numbers`: what each number of the posts is bound to, and what is not."""

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from press.diagnostics import Diagnostic, Place, counted, errors_of, settled
from press.files import text_of
from press.markdown.typed_numbers import CONSTANT, CONVENTION, OPEN, POINTER, RESULT
from press.options import Options
from press.results.claims import Claims
from press.results.store import Results

CLASSES = ("run", "claim", "setting", POINTER, CONVENTION, CONSTANT, RESULT, OPEN)


def report_numbers(options: Options, pages: Iterable[Mapping[str, Any]]) -> int:
    """Print the classes of each post's numbers, then what is bound to nothing; the exit code.

    `pages` has what is remembered of each page. Numbers that are bound to nothing are no errors
    here: `[checks] numbers = "all"` makes them errors of the build.
    """
    posts = {page["source"]: page["numbers"] for page in pages if "numbers" in page}
    width = max(map(len, posts), default=0)
    print("  ".join([" " * width, *CLASSES]))
    for source, numbers in posts.items():
        cells = (f"{numbers['counts'].get(name, 0):>{len(name)}}" for name in CLASSES)
        print("  ".join([f"{source:<{width}}", *cells]))
    unbound = [line for numbers in posts.values() for line in numbers["unbound"]]
    print(f"{counted(len(unbound), 'number')} bound to nothing{':' if unbound else ''}")
    for place, text in unbound:
        print(f"{place}: '{text}'")
    claims = {claim for numbers in posts.values() for claim in numbers["claims"]}
    diagnostics = settled(_unquoted(options, claims), options.strict, True)
    for diagnostic in diagnostics:
        print(diagnostic, file=sys.stderr)
    return 1 if errors_of(diagnostics) else 0


def _unquoted(options: Options, quoted: set[str]) -> Iterable[Diagnostic]:
    """A warning for each row of claims that no post shows, in a table that no plot names."""
    scripts = "".join(map(text_of, (options.content / "figures").glob("[!.]*.py")))
    results = Results(options.results, options.content, options.parts)
    claims = Claims(results)
    for table in claims.tables.values():
        for row in table.rows.values():
            ids = {claim.id for claim in row.numbers.values()}
            quoted_as = {*ids, f"{table.id}.{row.id}"}  # one by one, or all
            if ids and not quoted_as & quoted and f'"{table.id}.' not in scripts:
                line, column = claims.file.place(f"{table.id}.{row.id}") or (1, 1)
                sentence = f"nothing quotes the claims '{table.id}.{row.id}'"
                place = Place(str(claims.file.path), line, column)
                yield Diagnostic(place, sentence, code="unused-claim")
