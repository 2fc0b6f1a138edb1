"""Records that a table of results is made into, and what is told of such a table."""

from pathlib import Path

import pytest
from PIL import Image
from reading import Told

from press.cli import main
from press.results.record import read_record

TABLE = """\
case,seed,method,title,lr,accuracy,stop.oracle:accuracy,seconds
mlp,0,,An MLP,0.1,97.25,97.5,12
mlp,1,,An MLP,0.1,96.5,,13.5
mlp,,majority,An MLP,,11,,
"""


def imported(folder: Path, text: str, *words: str) -> int:
    (folder / "table.csv").write_text(text)
    where = ["--suite", "digits", "--results", str(folder / "results")]
    return main(["import-csv", str(folder / "table.csv"), *where, *(words or ("--settings", "lr"))])


def test_a_table_of_results_becomes_records(tmp_path: Path, capsys: Told) -> None:
    assert imported(tmp_path, TABLE) == 0
    results = tmp_path / "results"
    told = "metrics: accuracy; the measure: accuracy; settings: lr"
    assert capsys.readouterr().out == f"3 records written to {results / 'digits'}\n{told}\n"
    one = read_record(results / "digits/mlp/seed0")
    assert dict(one.metrics) == {"final": {"accuracy": 97.25}, "stop.oracle": {"accuracy": 97.5}}
    assert (one.settings, one.seconds, one.title) == ({"lr": 0.1}, 12, "An MLP")
    assert (one.facts["imported from"], dict(one.environment)) == ("table.csv", {})
    assert read_record(results / "digits/mlp/majority").kind == "baseline"
    assert imported(tmp_path, TABLE.replace("mlp,1", "\n\nmlp,1.0")) == 0
    assert "3 stood there already" in capsys.readouterr().out
    assert imported(tmp_path, TABLE.replace("\n", "\r\n").replace(",", ";")) == 0
    assert "0 records written" in (said := capsys.readouterr().out) and "3 stood there" in said
    assert imported(tmp_path, TABLE.replace("96.5", "96.4")) == 1
    assert "another record stands here; --replace" in capsys.readouterr().err
    assert imported(tmp_path, TABLE.replace("96.5", "96.4"), "--replace", "--settings", "lr") == 0
    assert read_record(results / "digits/mlp/seed1").metrics["final"] == {"accuracy": 96.4}


def test_a_table_may_have_headings_and_names_of_its_own(tmp_path: Path, capsys: Told) -> None:
    text = TABLE.replace("case", "Set").replace("accuracy", "Top-1").replace("mlp", "An MLP, 64")
    text = text.replace("An MLP, 64", '"An MLP, 64"').replace("An MLP,0.1", ",0.1")
    columns = [
        "--columns",
        "case=Set",
        "accuracy=Top-1",
        "stop.oracle:accuracy=stop.oracle:Top-1",
        "--settings",
        "lr",
    ]
    assert imported(tmp_path, text.replace(",An MLP,,11", ",,,11"), *columns) == 0
    record = read_record(tmp_path / "results/digits/An-MLP-64/seed0")
    assert (record.title, record.measure) == ("An MLP, 64", "accuracy")
    assert imported(tmp_path, text, "--columns", "case=Sets") == 1
    assert "table.csv:1: no column is headed 'Sets'; did you mean" in capsys.readouterr().err


def test_a_table_may_name_curves_and_pictures(tmp_path: Path, capsys: Told) -> None:
    Image.new("L", (8, 4), 128).save(tmp_path / "out.png")
    (tmp_path / "0.csv").write_text('"epoch","accuracy",loss\n1,90,0.5\n2,97.25,\n')  # as R
    text = "case,seed,accuracy,curve,picture,at.1:accuracy,stop.oracle:accuracy,stop.oracle:step\n"
    assert (
        imported(tmp_path, f"{text}mlp,0,97.25,0.csv,out.png,90,97.5,1\n", "--measure", "accuracy")
        == 0
    )
    record = read_record(tmp_path / "results/digits/mlp/seed0")
    assert (record.axis, dict(record.pictures)) == ("epoch", {"final": "pictures/final.png"})
    assert dict(record.steps) == {"at.1": 1, "final": 2, "stop.oracle": 1}
    plain = (tmp_path / "0.csv").read_text().replace('"', "")
    assert record.file("curve.csv").read_text() == plain
    assert capsys.readouterr().out.endswith(
        "settings: none; --settings names the columns that are\n"
    )
    for rows, sentence in (
        ("1", "0.csv:2: the curve is damaged in this line"),
        ("1,90\n2,high", "0.csv:3: column 'accuracy': expected a number, got 'high'"),
    ):
        (tmp_path / "0.csv").write_text(f"epoch,accuracy\n{rows}\n")
        assert imported(tmp_path, f"{text}mlp,1,97.25,0.csv,out.png,90,97.5,1\n", "--replace") == 1
        assert capsys.readouterr().err == f"{tmp_path}/{sentence}\n"


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("case", "cas", "table.csv:1: the table has no column 'case'; --columns case=HEADING"),
        (
            "96.5",
            "about 96",
            "table.csv:3: column 'accuracy': expected a number, got 'about 96'; --se",
        ),
        ("96.5", "nan", "table.csv:3: column 'accuracy': expected a number, got 'nan'; the cell"),
        ("96.5", "96.5 %", "table.csv:3: column 'accuracy': expected a number, got '96.5 %'; a"),
        ("mlp,1", "mlp!,1", "table.csv:3: column 'case': 'mlp' and 'mlp!' would have the sam"),
        (
            "mlp,1",
            "MLP,1",
            "table.csv:3: column 'case': 'mlp' and 'MLP' would have the same folder on macOS",
        ),
        ("mlp,1", "mlp,0", "table.csv:3: the same case, and seed or method, as in line 2"),
        ("mlp,1", ",1", "table.csv:3: it lacks 'case'"),
        (
            "mlp,1",
            "日本,1",
            "table.csv:3: column 'case': no folder can be named after '日本'; that",
        ),
        ("majority", "Ä", "table.csv:4: column 'method': no folder can be named after 'Ä'; that"),
        (
            "mlp,1",
            '\n\n"mlp,1',
            "table.csv:5: a quotation mark opens in this row and is not closed",
        ),
        ("mlp,1", "\n\n,1", "table.csv:5: it lacks 'case'"),
        ("mlp,1", "mlp,1.5", "table.csv:3: 'seed' must be integer"),
        (
            "An MLP",
            "A\0",
            "table.csv:2: 'title' holds the character U+0000, which no page can show",
        ),
        ("96.5", f"1{'0' * 400}", "table.csv:3: column 'accuracy': expected a number, got '1000"),
        ("accuracy", "acc.", "table.csv:2: column 'acc.' has no name that a metric may have"),
        ("majority", "", "table.csv:4: a row names either a seed or a method"),
        (",13.5", "", "table.csv:3: the row has not as many cells as the first line"),
        ("stop.oracle:", "best:", "table.csv:2: 'metrics' has the name 'best', which is not a"),
        ("lr", "rate", "table.csv:1: the table has no column 'lr'"),
    ],
)
def test_a_table_with_a_mistake_writes_nothing(
    tmp_path: Path, capsys: Told, old: str, new: str, sentence: str
) -> None:
    assert imported(tmp_path, TABLE.replace(old, new, 1)) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "results").exists()


def test_the_help_tells_what_the_columns_are(capsys: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["press/__main__.py"])
    with pytest.raises(SystemExit):
        main(["import-csv", "--help"])
    told = capsys.readouterr().out
    assert told.startswith("usage: python -m press import-csv")
    assert all(f"\n  {name} " in told for name in ("case", "at.10:accuracy", "curve", "picture"))
