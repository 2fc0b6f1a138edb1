"""What the rest of the site says of a post."""

import datetime
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True)
class Summary:
    """What the rest of the site says of a post."""

    url: str
    source: str
    title: str
    title_html: str
    date: datetime.date | None
    authors: tuple[str, ...]
    summary: str
    summary_html: str
    draft: bool
    aliases: tuple[str, ...]
    aliases_line: int | None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, for the state of the build."""
        return {**self.__dict__, "date": self.date.isoformat() if self.date else None}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Summary":
        """Make a summary of plain values again."""
        html = {key: Markup(data[key]) for key in ("title_html", "summary_html")}
        day = data["date"] and datetime.date.fromisoformat(data["date"])
        lists = {key: tuple(data[key]) for key in ("authors", "aliases")}
        return cls(**{**data, **html, **lists, "date": day})
