"""Two folders of results, run by run."""

from pathlib import Path

from dip.errors import InputError
from dip.records.record import Record, load_record
from dip.records.store import find_records


def compare(a: Path, b: Path) -> list[str]:
    """A line for each record that stands in `a` or in `b`, in order.

    It has the PSNR of both and their difference, and where the trajectories part, or what
    is damaged. Raises InputError if a folder is absent.
    """
    for folder in (a, b):
        if not folder.is_dir():
            raise InputError("no such folder of results", folder)
    places = sorted({p.relative_to(folder) for folder in (a, b) for p in find_records(folder)})
    if not places:
        raise InputError(f"no record here, and none in {b}", a)
    return [f"{place.as_posix()}: {_line(a / place, b / place)}" for place in places]


def _line(a: Path, b: Path) -> str:
    if not a.exists() or not b.exists():
        return f"only in {(a if a.exists() else b).parents[2]}"
    try:
        return _difference(load_record(a, files=True), load_record(b, files=True))
    except InputError as error:
        return str(error)


def _difference(a: Record, b: Record) -> str:
    first, second = (record.metrics["final"]["psnr_db"] for record in (a, b))
    levels = "no PSNR"
    if first is not None and second is not None:
        levels = f"{first:.2f} and {second:.2f} dB ({second - first:+.2f})"
    settings = _settings(a, b)
    return f"{levels}; {settings}{_trajectories(a, b)}"


def _settings(a: Record, b: Record) -> str:
    """Name the settings in which two records differ."""
    ours, theirs = a.experiment.to_dict(), b.experiment.to_dict()
    names = [name for name in ours if ours[name] != theirs[name]]
    if a.data["arithmetic"] != b.data["arithmetic"]:
        names.append("precision")
    return f"other {', '.join(names)}; " if names else ""


def _trajectories(a: Record, b: Record) -> str:
    """Whether two runs have the same trajectory, or where they part."""
    if a.data["files"] == b.data["files"]:
        return "the same files"
    if "curve.csv" not in a.data["files"] or "curve.csv" not in b.data["files"]:
        return "other pictures"
    ours, theirs = a.curve(), b.curve()
    for row, other in zip(ours, theirs, strict=False):
        if row != other:
            return f"trajectories part at iteration {int(row[0] or 0)}"
    same = len(ours) == len(theirs)
    return "the same curve, other pictures" if same else "one curve is the beginning of the other"
