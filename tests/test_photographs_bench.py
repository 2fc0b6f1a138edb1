"""The bench of the photo commands: what is degraded, what stands beside, what the page says."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("skimage")
pytest.importorskip("imagecodecs")
from tools import photographs as bench


@pytest.mark.parametrize("command", bench.COMMANDS)
@pytest.mark.parametrize("name", ["Coins", "Retina"])  # one grey, one in colour
def test_each_command_and_each_plain_method_work_on_the_same_input(
    tmp_path: Path, command: str, name: str
) -> None:
    x = bench.photograph(name)
    task, asked = bench.degraded(command, x, tmp_path)
    assert task.shape == x.shape
    assert all(Path(word).is_file() for word in asked if word.startswith(str(tmp_path)))
    for strengths in bench.plain(command, task).values():
        output = next(iter(strengths.values()))()
        assert output.shape == x.shape
        assert np.abs(output - x).mean() < 0.2


def found(name: str, command_db: float, plain_db: float) -> dict[str, Any]:
    plain = {"non-local-means": plain_db - 1, "total-variation": plain_db}
    return {
        "command": "denoise",
        "photograph": name,
        "said": "1535 iterations in 2 min; stopped by itself",
        "dip": {"psnr_db": command_db, "processor_s": 61.4},
        "before_db": 20.0,
        "plain": {method: {"psnr_db": db} for method, db in plain.items()},
    }


def test_the_words_follow_the_numbers() -> None:
    results = {
        "results": [found("A", 30, 28), found("B", 28.1, 28), found("C", 27, 28.04)],
        "degraded": {"denoise": "noise", "inpaint": "text"},
        "side": 128,
        "photographs": {"A": "CC0"},
        "versions": {"torch": "2"},
        "strengths": [5, 10],
        "device": "cpu",
        "seed": 0,
    }
    made = bench.tables(results)
    assert "| photograph | before | `denoise` | non-local means | total variation |" in made
    assert "| A | 20.0 | 30.0 | 27.0 | 28.0 | 1,535 | 61 |" in made
    assert (
        "Ahead of the best of them on 1 of 3 (A +2.0 dB); as good (within 0.2 dB) on 1 of 3"
        " (B +0.1 dB); behind on 1 of 3 (C −1.0 dB)." in made
    )
    assert "`inpaint`" not in made, "nothing was measured"


def test_the_page_has_the_tables_of_the_measured_results() -> None:
    text = bench.PAGE.read_text(encoding="utf-8")
    assert bench.page_with(text, json.loads(bench.RESULTS.read_text(encoding="utf-8"))) == text
