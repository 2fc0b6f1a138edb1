"""The end of a run: median and range over the last fifth, and a last iterate in a loss spike."""

from pathlib import Path
from statistics import median

import pytest
from made_records import write_over
from made_site import make_results

from dip.records.record import parse_curve
from press.blocks.tables import spike_mark, stability_cells
from press.errors import InputError
from press.pages.run_page import score_rows
from press.results.run import BEFORE, Run
from press.results.verdicts import Judge


def spiked_run(folder: Path, fall_db: float) -> Run:
    """A run whose last iterate falls by so much; made_site's suite "paper", first seed of Anna."""
    results = make_results(folder, "paper")
    run = results.run("paper/anna")
    assert run.record
    path = run.folder / "curve.csv"
    lines = path.read_text().splitlines()
    cells = lines[-1].split(",")
    cells[2] = f"{float(cells[2]) - fall_db:.3f}"
    text = "\n".join([*lines[:-1], ",".join(cells)]) + "\n"
    data = {k: v for k, v in run.record.data.items() if k not in ("format", "files", "seal")}
    files = {name: (run.folder / name).read_bytes() for name in run.record.data["files"]}
    write_over(run.folder, data, {**files, "curve.csv": text.encode()})
    return make_results(folder).run("paper/anna")


def test_median_and_range_are_those_of_the_last_fifth(tmp_path: Path) -> None:
    run = make_results(tmp_path, "paper").run("paper/anna")
    rows = parse_curve((run.folder / "curve.csv").read_text(), run.folder)
    last = run.iterations
    levels = [row[2] for row in rows if row[0] > last - last // 5]  # type: ignore[operator]
    assert float(run.stable.median) == median(levels)  # type: ignore[type-var, arg-type]
    assert (float(run.stable.lowest), float(run.stable.highest)) == (
        min(levels), max(levels),  # type: ignore[type-var]
    )  # fmt: skip
    names = [row["name"] for row in score_rows(run, [run.stable.metric])]
    assert names[-3:] == ["last fifth, median", "last fifth, lowest", "last fifth, highest"]


def test_a_run_that_is_not_recorded_has_none_yet_and_a_baseline_never(tmp_path: Path) -> None:
    results = make_results(tmp_path)
    assert str(results.run("paper/anna").stable.median) == "not run yet"
    assert stability_cells([results.run("paper/anna")]) == [None, None]
    recorded = make_results(tmp_path, "paper")
    with pytest.raises(InputError, match="has no curve"):
        assert recorded.run("paper/anna/biharmonic").stable.median


@pytest.mark.parametrize(("fall_db", "spiked"), [(0.0, False), (0.6, False), (3.0, True)])
def test_a_last_iterate_in_a_spike_is_marked(tmp_path: Path, fall_db: float, spiked: bool) -> None:
    run = spiked_run(tmp_path, fall_db)
    assert run.stable.in_spike == spiked
    assert bool(spike_mark([run])) == spiked
    if spiked:
        assert f"\u202fdB worse than the median of the {BEFORE} before it" in spike_mark([run])


def test_how_many_of_the_last_iterates_bear_the_verdict_out(tmp_path: Path) -> None:
    judge = Judge(make_results(tmp_path, "paper"))
    anna = judge.verdict("inpainting.dip.anna")
    runs = [judge.results.run("paper/anna", seed) for seed in (0, 1, 2)]
    levels = [run.stable.levels() for run in runs]
    close = [sum(abs(level - 32.0) <= anna.tolerance for level in of_run) for of_run in levels]
    assert float(anna.iterates_within(seed=1)) == 100 * close[1] / len(levels[1])
    every = anna.iterates_within()
    assert float(every) == pytest.approx(100 * sum(close) / sum(map(len, levels)))
    assert every.n == 3
    with pytest.raises(InputError, match="is not compared with a last iterate of seed 7"):
        anna.iterates_within(seed=7)
    with pytest.raises(InputError, match=r"'inpainting\.dip\.mean' is not compared with last iter"):
        judge.verdict("inpainting.dip.mean").iterates_within()
    planned = Judge(make_results(tmp_path / "empty")).verdict("inpainting.dip.anna")
    assert str(planned.iterates_within(seed=0)) == "not run yet"
