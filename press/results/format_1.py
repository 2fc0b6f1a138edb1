"""Records of format 1, which the package `dip` writes, read as format 2, the general one."""

from typing import Any

from press.diagnostics import counted


def general_form(data: dict[str, Any], case: str) -> dict[str, Any]:
    """What a `run.json` of format 1 says, in format 2; raises KeyError for what it lacks.

    `case` is the name of the folder above the record's, which stands for the case.
    """
    scores, settings, stops = data["metrics"], data["experiment"], data["stops"] or {}
    stopped = {f"stop.{rule}": found for rule, found in stops.items() if found}
    metrics = {
        "input": scores["input"],
        **{f"at.{k}": values for k, values in scores["snapshots"].items()},
        "final": scores["final"],
        **{
            selector: {name: value for name, value in found.items() if name != "iteration"}
            for selector, found in stopped.items()
        },
        "average": scores["average"],
        "clean": scores["clean_z"],
    }
    steps = {f"at.{k}": int(k) for k in scores["snapshots"]}
    steps |= {selector: found["iteration"] for selector, found in stopped.items()}
    if data["kind"] == "run":
        steps["final"] = settings["iterations"]
    kept = ("kind", "suite", "seed", "method", "key", "environment", "seconds", "files", "seal")
    return {
        "format": 2, **{name: data[name] for name in kept}, "case": case,
        "settings": settings, "facts": _facts(data), "started": data["started"],
        "metrics": {selector: values for selector, values in metrics.items() if values},
        "measure": "psnr_luma_db" if scores["final"].get("psnr_luma_db") else "psnr_db",
        "followed": "psnr_db",
        "axis": "iteration" if "curve.csv" in data["files"] else "", "steps": steps,
        "pictures": _pictures(data["files"], steps.get("final")),
        "preview": settings.get("preview_side") is not None,
    }  # fmt: skip


def _pictures(files: dict[str, str], last: int | None) -> dict[str, str]:
    """The pictures by selector, iterates in their order; the last one is the final output too."""
    names = [name[10:].removesuffix(".webp") for name in files if name.startswith("snapshots/")]
    names.sort(key=lambda name: (not name.isdigit(), name.zfill(9)))
    if str(last) in names:
        names.append("output")
    of_output = {"output": str(last)} if last is not None else {}
    return {_selector(name): f"snapshots/{of_output.get(name, name)}.webp" for name in names}


def _selector(name: str) -> str:
    if name.isdigit():
        return f"at.{name}"
    return "final" if name == "output" else name.replace("stop-", "stop.", 1)


def _facts(data: dict[str, Any]) -> dict[str, str]:
    """What identifies a run, beside what every record says."""
    dirty = ", with changes that were not committed" if data.get("commit_dirty") else ""
    each = data["seconds_per_iteration"] or 0
    pace = f"{each:.3g} s" if each > 1 else f"{1000 * each:.3g} ms"
    return {
        "arithmetic": data["arithmetic"],
        "trajectory revision": str(data["trajectory_revision"]),
        "pixels, SHA-256": ", ".join(f"{k} {v[:16]}" for k, v in data["pixels_sha256"].items()),
        "size": f"{data['width']}×{data['height']}, {counted(data['channels'], 'channel')}",
        **({"loss spikes": str(data["spikes"])} if data["kind"] == "run" else {}),
        "commit": f"{data['commit'] or 'unknown'}{dirty}",
        **({"an iteration": pace} if each else {}),
    }
