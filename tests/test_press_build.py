"""Builds: what is stale, what is kept, what is written, and that it is whole or not at all."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from made_site import SITE, make_results, python, run_press, write_content
from PIL import Image
from reading import Told

from press.cli import main
from press.markdown.typed_numbers import CHECKS
from press.options import Options
from press.pages.site_pages import Site

ROOT = Path(__file__).parent.parent


def post(title: str, text: str = "Text.") -> str:
    """Write a post."""
    return f"---\ntitle: {title}\ndate: 2026-01-02\n---\n\n{text}\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a small site of two posts, and build it."""
    posts = tmp_path / "content/posts"
    posts.mkdir(parents=True)
    (posts / "one.md").write_text(post("One", "With $x^2$ and `code`."))
    (posts / "two.md").write_text(post("Two"))
    monkeypatch.chdir(tmp_path)
    assert main([]) == 0
    return tmp_path


def made(capsys: Told) -> str:
    """Build, and give what was said."""
    capsys.readouterr()
    assert main([]) == 0
    return capsys.readouterr().out


def inodes(folder: Path) -> dict[str, int]:
    """Tell which file each of a folder's files is."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.relative_to(folder).as_posix(): path.stat().st_ino for path in files}


def test_a_cold_build_needs_no_torch_and_no_matplotlib(work: Path) -> None:
    shutil.rmtree(work / ".press")
    program = "import sys; from press.cli import main; main([]); print(*sys.modules)"
    modules = python(work, "-c", program).stdout.split()
    assert "markdown_it" in modules
    assert not {"torch", "matplotlib", "django", "djangocms_katex"} & set(modules)


COUNT_OPENS = """
import sys
from collections import Counter
opens = Counter()
def watch(event, arguments):
    path = str(arguments[0]) if event == "open" else ""
    if path.startswith("results") and path.endswith(("run.json", "curve.csv")):
        opens[path] += 1
sys.addaudithook(watch)
import press.files
press.files.SETTLED_NS = 0  # the records of this test are younger than any that a build trusts
from press.cli import main
assert main(["build", "--run", "never"]) == 0
print(len(opens), max(opens.values()))
"""


def test_a_cold_build_reads_each_record_once(tmp_path: Path) -> None:
    make_results(tmp_path, "paper")
    files, opens = map(int, python(tmp_path, "-c", COUNT_OPENS).stdout.split()[-2:])
    assert files == 6 * 2 + 4, "a run has a curve, a baseline has none"
    assert opens == 1


def test_nothing_changed_touches_no_file(work: Path, capsys: Told) -> None:
    before = inodes(work / "site")
    assert "nothing changed" in made(capsys)
    assert inodes(work / "site") == before


def test_one_edited_post_makes_one_page(work: Path, capsys: Told) -> None:
    before = inodes(work / "site")
    (work / "content/posts/two.md").write_text(post("Two", "Other text."))
    assert "1 page made anew" in made(capsys)
    after = inodes(work / "site")
    assert "Other text." in (work / "site/posts/two.html").read_text()
    assert [name for name in after if after[name] != before[name]] == ["posts/two.html"]


def test_an_edit_of_the_same_length_at_once_is_seen(work: Path, capsys: Told) -> None:
    path = work / "content/posts/two.md"
    for word in ("Some", "More", "Else"):
        stat = path.stat()
        path.write_text(post("Two", word))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
        made(capsys)
        assert word in (work / "site/posts/two.html").read_text()


def test_a_touched_file_is_not_a_changed_one(work: Path, capsys: Told) -> None:
    os.utime(work / "content/posts/two.md", (1, 1))
    assert "nothing changed" in made(capsys)


def test_a_setting_of_the_site_makes_every_page(work: Path, capsys: Told) -> None:
    (work / "content/site.toml").write_text('title = "Another name"\n')
    assert "2 pages made anew" in made(capsys)
    assert "Another name" in (work / "site/posts/one.html").read_text()


def test_another_schema_of_records_makes_every_page(work: Path) -> None:
    """A record may no longer be one by it."""
    for folder in ("press", "templates"):
        shutil.copytree(ROOT / folder, work / "installed" / folder)

    def build() -> str:
        return python(work, "-m", "press", path=str(work / "installed")).stdout

    build()
    assert "nothing changed" in build()
    with (work / "installed/press/results/record.schema.json").open("a") as schema:
        schema.write("\n")
    assert "2 pages made anew" in build()


def test_a_picture_that_comes_later_is_seen(work: Path, capsys: Told) -> None:
    (work / "content/posts/two.md").write_text(post("Two", "![A line](line.svg)"))
    assert "1 warning" in made(capsys)
    assert "1 warning" in made(capsys), "a warning is told again when nothing changed"
    (work / "content/posts/line.svg").write_text('<svg viewBox="0 0 4 3"></svg>')
    said = made(capsys)
    assert "1 page made anew" in said and "warning" not in said
    assert 'width="4" height="3"' in (work / "site/posts/two.html").read_text()


WRITES = """
import time
from pathlib import Path
from markupsafe import Markup
from press.blocks.declaration import block


@block("writes", "posts, while a build runs that has read one of them")
def writes(call):
    if not Path("content/posts/late.md").exists():
        Path("content/posts/late.md").write_text("# Late")
        Path("content/posts/one.md").write_text("# Edited")
        time.sleep(2.2)  # of what changed longer ago the time alone is looked at
    return Markup("<p>Written.</p>")
"""


def test_what_is_written_while_a_build_runs_is_made_by_the_next(work: Path, capsys: Told) -> None:
    (work / "content/posts/one.md").write_text("# Written")
    (work / "content/blocks.py").write_text(WRITES)
    (work / "content/posts/two.md").write_text(post("Two", "::: writes\n:::"))
    made(capsys)
    assert not (work / "site/posts/late.html").exists()
    assert "Written" in (work / "site/posts/one.html").read_text()
    made(capsys)
    assert (work / "site/posts/late.html").exists()
    assert "Edited" in (work / "site/posts/one.html").read_text()
    assert "nothing changed" in made(capsys)


def test_files_of_any_name_are_seen_and_those_of_editors_are_not(work: Path, capsys: Told) -> None:
    (work / "content/posts/_three.md").write_text(post("Three"))
    made(capsys)
    assert (work / "site/posts/_three.html").exists()
    for folder in ("content/posts", "templates/styles"):
        (work / folder).mkdir(parents=True, exist_ok=True)
        (work / folder / os.fsdecode(b"f\xfcr.png")).write_bytes(b"")
    (work / "templates/styles/.#zz-own.css").symlink_to("nobody@nowhere.1")
    made(capsys)
    assert "nothing changed" in made(capsys)


def test_a_post_that_goes_takes_its_page_along(work: Path, capsys: Told) -> None:
    (work / "content/posts/two.md").unlink()
    made(capsys)
    assert not (work / "site/posts/two.html").exists()
    assert "Two" not in (work / "site/index.html").read_text()


def test_a_page_that_was_changed_by_hand_is_made_again(work: Path, capsys: Told) -> None:
    page = work / "site/posts/two.html"
    good = page.read_text()
    page.write_text("scribbled")
    assert "1 page made anew" in made(capsys)
    assert page.read_text() == good
    page.unlink()
    made(capsys)
    assert page.read_text() == good


def test_the_first_suite_gives_every_page_its_link(work: Path, capsys: Told) -> None:
    (work / "content/site.toml").write_text(SITE)
    (work / "content/experiments.toml").write_text("")
    made(capsys)
    assert "runs/index.html" not in (work / "site/posts/two.html").read_text()
    suite = '[small]\ntitle = "Small"\ntask = "inpainting"\nimages = ["a/b"]\nmask = "bernoulli"\n'
    (work / "content/experiments.toml").write_text(suite)
    made(capsys)
    assert "runs/index.html" in (work / "site/posts/two.html").read_text()
    assert "nothing changed" in made(capsys)


def test_a_damaged_state_is_no_obstacle(work: Path, capsys: Told) -> None:
    for path in (work / ".press").rglob("*.json"):
        path.write_text("{")
    assert "2 pages made anew" in made(capsys)


def test_a_mistake_leaves_the_last_good_site(work: Path, capsys: Told) -> None:
    before = inodes(work / "site")
    (work / "content/posts/two.md").write_text(post("Two", "$\\oops$"))
    assert main([]) == 1
    assert inodes(work / "site") == before
    (work / "content/posts/two.md").write_text(post("Two"))
    assert "nothing changed" in made(capsys)


def test_what_git_ignores_stays(work: Path, capsys: Told) -> None:
    (work / "site/.gitignore").write_text("*\n")
    (work / "content/posts/two.md").write_text(post("Two", "Other"))
    made(capsys)
    assert (work / "site/.gitignore").read_text() == "*\n"


def test_a_folder_of_others_is_not_overwritten(work: Path, capsys: Told) -> None:
    (work / "papers").mkdir()
    (work / "papers/thesis.tex").write_text("years of work")
    assert main(["--out", "papers"]) == 1
    told = capsys.readouterr().err
    assert "papers: this folder holds 'thesis.tex', which the press did not make" in told
    assert [path.name for path in (work / "papers").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("name", [".git/HEAD", "notes.txt", "thesis/one.tex"])
def test_a_site_with_work_of_others_in_it_is_not_overwritten(
    work: Path, capsys: Told, name: str
) -> None:
    (work / "site" / name).parent.mkdir(exist_ok=True)
    (work / "site" / name).write_text("years of work")
    (work / "content/posts/two.md").write_text(post("Two", "Other"))
    assert main([]) == 1
    top = name.partition("/")[0]
    assert f"site: this folder holds '{top}', which the press" in capsys.readouterr().err
    assert (work / "site" / name).read_text() == "years of work"


def test_a_site_is_known_again_with_its_old_addresses_and_without_a_list(work: Path) -> None:
    moved = post("Two").replace("date", 'aliases: ["old/address.html"]\ndate')
    (work / "content/posts/two.md").write_text(moved)
    assert main([]) == 0
    assert (work / "site/old/address.html").exists()
    (work / "content/posts/two.md").write_text(post("Two"))
    assert main([]) == 0
    assert not (work / "site/old").exists()
    (work / "site/.nojekyll").write_text("")
    (work / "content/posts/two.md").write_text(post("Two", "Other"))
    assert main([]) == 0
    assert "Other" in (work / "site/posts/two.html").read_text()


def test_a_folder_made_by_hand_is_not_replaced_by_a_site(work: Path, capsys: Told) -> None:
    (work / "docs").mkdir()
    for name, text in ((".nojekyll", ""), ("index.html", "by hand")):
        (work / "docs" / name).write_text(text)
    assert main(["build", "--out", "docs"]) == 1
    assert capsys.readouterr().err.startswith("docs: this folder holds 'index.html', which the")
    assert (work / "docs/index.html").read_text() == "by hand"


def test_wrong_usage_gives_two(capsys: Told) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["bulid"])
    assert stopped.value.code == 2
    with pytest.raises(SystemExit) as stopped:
        main(["--run", "sometimes"])
    assert stopped.value.code == 2


def many_posts(work: Path, word: str) -> None:
    """Write forty posts that all say `word`."""
    for number in range(40):
        text = post(f"Post {number}", f"{word} " + " ".join(f"$x_{{{n}}}$" for n in range(20)))
        (work / f"content/posts/post-{number}.md").write_text(text)


def words_of(work: Path) -> set[str]:
    """Collect what the posts of the site say."""
    pages = (work / "site/posts").glob("post-*.html")
    return {word for page in pages for word in ("old", "new") if f"<p>{word} " in page.read_text()}


@pytest.mark.slow
def test_two_builds_at_once_do_not_harm_each_other(work: Path, capsys: Told) -> None:
    many_posts(work, "new")
    call = [sys.executable, "-m", "press"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    children = [
        subprocess.Popen(call, cwd=work, env=environment, stdout=subprocess.PIPE) for _ in range(3)
    ]
    assert [child.wait() for child in children] == [0, 0, 0]
    assert words_of(work) == {"new"}
    assert main(["check"]) == 0
    assert not list(work.glob(".site.*"))


def test_the_cache_stands_beside_the_output() -> None:
    assert Options(out=Path("public/site")).cache == Path("public/.press")


def test_the_list_goes_by_order_then_the_newest_then_by_name(tmp_path: Path) -> None:
    posts = tmp_path / "content/posts"
    posts.mkdir(parents=True)
    (tmp_path / "results").mkdir()
    for name, day in (("c", 2), ("a", 2), ("b", 1), ("d", 3)):
        (posts / f"{name}.md").write_text(
            f"---\ntitle: Post {name}\ndate: 2026-01-0{day}\n---\nx\n"
        )
    (posts / "e.md").write_text(
        "---\ntitle: Post e\norder: 1\nstatus: Half done\nimage: e.png\n---\n"
    )
    Image.new("L", (300, 200)).save(posts / "e.png")
    assert run_press(tmp_path, "build") == 0
    html = (tmp_path / "site/index.html").read_text()
    assert re.findall(r">Post (.)</a></h2>", html) == ["e", "d", "a", "c", "b"]
    assert re.search(r'src="media/e-small-\w+\.webp" width="100" height="67"', html), html
    assert re.findall(r'entry-status">([^<]*)', html) == ["Half done"]


def test_a_title_on_the_front_page_has_its_formulas_and_no_link(tmp_path: Path) -> None:
    make_results(tmp_path, "paper")
    title = 'Level {{ run("paper/anna").psnr_db }} of $x$'
    write_content(tmp_path / "content", f"---\ntitle: '{title}'\ndate: 2026-01-01\n---\n")
    assert run_press(tmp_path, "check", "--run", "never") == 0
    html = (tmp_path / "site/index.html").read_text()
    (heading,) = re.findall(r"<h2><a [^>]*>(.*)</a></h2>", html)
    assert heading.startswith('Level <span class="q from-run">31.90') and "<a " not in heading
    assert re.search('<link rel="stylesheet" href="assets/katex', html)


def test_every_setting_of_the_site_is_documented() -> None:
    text = (ROOT / "docs/press.md").read_text()
    section = text[text.index("## The site's settings") : text.index("## Publishing")]
    named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert [*named, "checks", "macros"] == [field.name for field in fields(Site)]
    assert "| `[math.macros]` |" in section
    assert re.findall(r"^\| `(\w+)`, under `\[checks\]`", section, re.MULTILINE) == [*CHECKS]
