"""Asks the network whether the addresses outside of the site still answer."""

import urllib.error
import urllib.request
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from press.checks.page_facts import PageFacts
from press.diagnostics import Message, Place

SECONDS = 15
GONE = (404, 410)  # anything else may be a guard against machines, and is only warned of


def check_outside(pages: Iterable[PageFacts]) -> list[Message]:
    """Ask once for each address; one that is gone is an error, one that will not say a warning."""
    places: dict[str, Place] = {}
    for page in pages:
        for found in page.links:
            if found.tag == "a" and found.value.startswith(("https://", "http://")):
                place = Place(str(page.path), found.line, found.column)
                places.setdefault(found.value.partition("#")[0], place)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(_ask, places))
    return [
        Message(place, f"'{address}' {answer[1]}", is_error=answer[0])
        for (address, place), answer in zip(places.items(), answers, strict=True)
        if answer
    ]


def _ask(address: str) -> tuple[bool, str] | None:
    """Tell what is wrong with an address, and whether it is surely gone; None if it answers."""
    agent = {"User-Agent": "Mozilla/5.0 (checks the links of a site)"}
    try:
        with urllib.request.urlopen(
            urllib.request.Request(address, headers=agent), timeout=SECONDS
        ):
            return None
    except urllib.error.HTTPError as error:
        return error.code in GONE, f"answers with {error.code} {error.reason}"
    except (OSError, ValueError) as error:
        return False, f"does not answer: {getattr(error, 'reason', error)}"
