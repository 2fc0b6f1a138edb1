"""`dip verify`, `dip compare`, `dip pack`, `dip unpack`: what is done with records."""

import argparse
import sys
from pathlib import Path

from dip.errors import InputError, is_lack_of_memory
from dip.experiments.suites import load_suites
from dip.experiments.test_images import load_images
from dip.planning.jobs import choose_jobs, find_suites
from dip.records.environment import choose_device
from dip.records.record import Record, load_record
from dip.records.store import find_records


def verify_records(args: argparse.Namespace) -> int:
    """Run the beginning of recorded runs again; returns 1 if a record fails."""
    device = choose_device(args.device)
    from dip.runs.verify import Failed, verify

    images = load_images(args.content / "images.toml")
    records, failed = _chosen(args)
    for record in records:
        name, good = record.folder.relative_to(args.results), False
        try:
            found = verify(record, images, args.images, device, args.iterations)
            result, good = f"verified: {found}", True
        except Failed as error:
            result = f"FAILED: {error}"
        except InputError as error:
            result = f"could not be verified: {error}"
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            result = f"FAILED: the record is damaged: {error!r}"
        except (MemoryError, RuntimeError) as error:
            if not is_lack_of_memory(error):
                raise
            result = "could not be verified: out of memory"
        print(f"{name}: {result}", flush=True)
        failed += not good
    return 1 if failed else 0


def _chosen(args: argparse.Namespace) -> tuple[list[Record], int]:
    """The runs that are recorded of the suite, or of all, and how many are damaged."""
    suites = load_suites(args.content / "experiments.toml")
    chosen = find_suites(suites, [args.suite])
    places = {place for suite in chosen for place in find_records(args.results, suite.name)}
    folders = {job.folder(args.results) for job in choose_jobs(chosen, args.image or ())}
    if args.image:
        wanted = {folder.parent for folder in folders}
        places = {place for place in places if place.parent in wanted}
    places |= {folder for folder in folders if any(folder.glob("[!.]*"))}  # without run.json too
    records, damaged = [], 0
    for place in sorted(places):
        try:
            records.append(load_record(place))
        except InputError as error:
            print(f"{place.relative_to(args.results)}: FAILED: {error}")
            damaged += 1
    runs = [record for record in records if record.kind == "run"]
    if not runs and not damaged:
        raise InputError(f"no run of '{args.suite}' is recorded", args.results)
    return runs, damaged


def compare_results(args: argparse.Namespace) -> int:
    """Print two folders of results run by run."""
    print("\n".join(compare(args.a, args.b)))
    return 0


def compare(a: Path, b: Path) -> list[str]:
    """A line for each record that stands in `a` or in `b`, in order; or for a suite of one alone.

    It has the PSNR of both and their difference, and where the trajectories part, or what
    is damaged. Raises InputError if a folder is absent.
    """
    for folder in (a, b):
        if not folder.is_dir():
            raise InputError("no such folder of results", folder)
    places = sorted({p.relative_to(folder) for folder in (a, b) for p in find_records(folder)})
    if not places:
        raise InputError(f"no record here, and none in {b}", a)
    in_both = {place.parts[0] for place in places if all((f / place).exists() for f in (a, b))}
    lines = dict.fromkeys(
        f"{place.as_posix()}: {_line(a / place, b / place)}"
        if place.parts[0] in in_both
        else f"{place.parts[0]}: only in {a if (a / place).exists() else b}"
        for place in places
    )
    return [*lines]


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
    ours, theirs = a.experiment.to_dict(), b.experiment.to_dict()
    names = [name for name in ours if ours[name] != theirs[name]]
    if a.data["arithmetic"] != b.data["arithmetic"]:
        names.append("precision")
    settings = f"other {', '.join(names)}; " if names else ""
    return f"{levels}; {settings}{_trajectories(a, b)}"


def _trajectories(a: Record, b: Record) -> str:
    """Whether two runs have the same trajectory, or where they part."""
    if a.data["files"] == b.data["files"]:
        return "the same files"
    if "curve.csv" not in a.data["files"] or "curve.csv" not in b.data["files"]:
        return "other pictures"
    ours, theirs = a.curve(), b.curve()
    parted = (row[0] for row, other in zip(ours, theirs, strict=False) if row != other)
    if (iteration := next(parted, None)) is not None:
        return f"trajectories part at iteration {iteration:.0f}"
    same = len(ours) == len(theirs)
    return "the same curve, other pictures" if same else "one curve is the beginning of the other"


def pack_records(args: argparse.Namespace) -> int:
    """Write new records into an archive; returns 1 if a damaged one was left out and named."""
    from dip.records.archive import pack

    count, damaged = pack(args.results, args.archive)
    size = f"{args.archive.stat().st_size / 2**20:.1f} MiB" if count else ""
    records = f"{count} record{'' if count == 1 else 's'}"
    print(f"{args.archive}: {records}, {size}" if count else "nothing new to pack")
    for error in damaged:
        print(f"{error}; this record was left out", file=sys.stderr)
    return 1 if damaged else 0


def unpack_records(args: argparse.Namespace) -> int:
    """Put the records of archives where they belong."""
    from dip.records.archive import unpack

    for line in unpack(args.archives, args.results, args.replace):
        print(line)
    return 0
