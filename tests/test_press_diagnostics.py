"""Diagnostics: one kind of thing, from settings, from posts and from checks."""

from pathlib import Path

from press.diagnostics import Diagnostic, Place, counted, settled, summary
from press.errors import InputError

AT = Place("post.md", 3, 7)
ERROR = Diagnostic(AT, "unknown id 'x'", "error", "link")
WARNING = Diagnostic(Place("post.md", 1, 1), "the post has no title")
FOR_CHECK = Diagnostic(Place("a.md", 9, 1), "typed", "check", "typed-result")


def test_a_diagnostic_is_written_with_its_place_and_code() -> None:
    assert str(ERROR) == "post.md:3:7: unknown id 'x' [link]"
    assert str(WARNING) == "post.md:1:1: warning: the post has no title"


def test_a_count_has_the_plural_of_whatever_a_site_calls_its_cases() -> None:
    told = [counted(2, noun) for noun in ("category", "day", "batch", "epoch")]
    assert told == ["2 categories", "2 days", "2 batches", "2 epochs"]


def test_an_error_that_stops_is_a_diagnostic_like_any_other() -> None:
    path = Path("post.md")
    assert str(Diagnostic.from_error(InputError("wrong", path, 3, 7))) == "post.md:3:7: wrong"
    assert str(Diagnostic.from_error(InputError("wrong", path))) == "post.md: wrong"


def test_a_diagnostic_survives_as_plain_values() -> None:
    for diagnostic in (ERROR, WARNING, FOR_CHECK, Diagnostic(None, "wrong", "error")):
        assert Diagnostic.from_row(diagnostic.row()) == diagnostic


def test_what_is_an_error_depends_on_how_the_press_was_called() -> None:
    found = [ERROR, WARNING, FOR_CHECK, ERROR]
    for strict, check, counts in (
        (False, False, "1 error, 2 warnings"),
        (False, True, "2 errors, 1 warning"),
        (True, False, "3 errors"),
    ):
        diagnostics = settled(found, strict, check)
        assert [one.sentence for one in diagnostics] == [
            FOR_CHECK.sentence, WARNING.sentence, ERROR.sentence,
        ]  # fmt: skip
        assert summary(diagnostics) == counts
    assert summary([]) == ""
