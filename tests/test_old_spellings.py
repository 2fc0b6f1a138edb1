"""Every old spelling is refused with a sentence that names the new one."""

from pathlib import Path

import pytest
from made_site import CLAIMS, make_results

from press.cli import main

EXPRESSIONS = {
    'run("paper/anna").at(250).psnr_db': "'.at' is now part of the call, such as "
    'run("suite/case", "at.1000")',
    'run("paper/anna").stop("oracle").psnr_db': "'.stop' is now part of the call, such as "
    'run("suite/case", "stop.oracle")',
    'run("paper/anna").average.psnr_db': "'.average' is now part of the call: "
    'run("paper/anna/seed0", "average")',
    'run("paper/anna").clean.psnr_db': "'.clean' is now part of the call: "
    'run("paper/anna/seed0", "clean")',
    'run("paper/anna").input.psnr_db': "'.input' is now part of the call: "
    'run("paper/anna/seed0", "input")',
    'suite("paper").average.mean_psnr_db': "'.average' is now part of the call: "
    'suite("paper", "average")',
    'suite("paper").mean_of_runs.mean_psnr_db': "'.mean_of_runs' is now part of the call: "
    'suite("paper", "mean")',
    'run("paper/anna", "last").psnr_db': "'last' is now spelled 'final'",
    'run("paper/anna", "output").psnr_db': "'output' is now spelled 'final'",
    'run("paper/anna", "250").psnr_db': "'250' is now spelled 'at.250'",
    'run("paper/anna", "stop-es-wmv").psnr_db': "'stop-es-wmv' is now spelled 'stop.es-wmv'",
    'run("paper/anna", "clean_z").psnr_db': "'clean_z' is now spelled 'clean'",
    'run("paper/anna", "mean_of_runs").psnr_db': "'mean_of_runs' is now spelled 'mean'",
    'run("paper/anna").psnr_db | db': "'| db' is not needed any more: a number has the unit of its "
    "metric, and '| value(1)' gives it other decimals",
    'run("paper/anna").psnr_db | signed_db': "'| signed_db' is now spelled '| signed'",
    **{
        f'run("paper/anna").stable.{name}_db': f"'.{name}_db' is now spelled '.{name}'"
        for name in ("median", "lowest", "highest")
    },
    'suite("paper").images': "'.images' is now spelled '.cases'",
    'verdict("inpainting.dip.anna").difference_db': "'.difference_db' is now spelled '.difference'",
    'verdict("inpainting.dip.anna").tolerance_db': "'.tolerance_db' is now spelled '.tolerance'",
}
BLOCKS = {
    'compare run="paper/anna" outputs="input 250"': "'250' is now spelled 'at.250'",
    'compare run="paper/anna" outputs="stop-oracle"': "'stop-oracle' is now spelled 'stop.oracle'",
    'compare run="paper/anna" outputs="input last"': "'last' is now spelled 'final'",
}


def test_an_old_spelling_in_a_post_names_the_new_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    make_results(tmp_path, "paper")
    lines = [f"{{{{ {source} }}}}\n" for source in EXPRESSIONS]
    lines += [f"::: {source}\n:::\n" for source in BLOCKS]
    (tmp_path / "content/posts/post.md").write_text("# Old\n\n" + "\n".join(lines))
    assert main(["build", "--run", "never"]) == 1
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("content/")]
    assert [line.partition(": ")[2] for line in told] == [*EXPRESSIONS.values(), *BLOCKS.values()]


@pytest.mark.parametrize(("old", "new"), [("within_db", "tolerance"), ("at_most_db", "at_most")])
def test_an_old_key_of_the_rule_names_the_metric_s(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    old: str,
    new: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_results(tmp_path)
    claims = CLAIMS.replace("deviations = 2", f"deviations = 2\n{old} = 0.5")
    (tmp_path / "content/claims.toml").write_text(claims)
    assert main(["build", "--run", "never"]) == 1
    assert (
        f": '{old}' is now part of the metric: '{new}' of [metrics.NAME] in content/site.toml"
        in capsys.readouterr().err
    )
