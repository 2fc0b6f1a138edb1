"""Messages as plain values and back, for the state of a build."""

from typing import Any

from press.context import Message, Place


def message_row(message: Message) -> list[Any]:
    """Give a message as plain values."""
    place = message.place
    where = [place.path, place.line, place.column] if place else None
    return [where, message.sentence, message.is_error, message.is_error_in_check]


def message_from(row: list[Any]) -> Message:
    """Make a message of plain values again."""
    where, sentence, is_error, is_error_in_check = row
    return Message(Place(*where) if where else None, sentence, is_error, is_error_in_check)
