"""What a post may name: no path leads out of what a site may show, no address runs a script."""

import json
import os
import re
import subprocess
from pathlib import Path
from urllib.parse import quote

import pytest
from markupsafe import Markup
from reading import Told

from press.cli import main
from press.diagnostics import Place
from press.errors import InputError
from press.markdown.citations import Entry, written
from press.pages.site_pages import Site, Summary, load_site, moved_pages
from press.paths import AbsentError, find_file, is_unsafe, web_address

SECRET = "token = 5f1c"
HEAD = "---\ntitle: One\n---\n\n"


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a project with secrets around its content, and ways that lead to them."""
    posts = tmp_path / "project/content/posts"
    posts.mkdir(parents=True)
    for name in ("secret.txt", "project/.env", "project/notes.txt", "project/content/.env"):
        (tmp_path / name).write_text(SECRET)
    (posts / "plain, file #1.txt").write_text("shown")
    (posts / "one.md").write_text("# One")
    (posts / "link.txt").symlink_to(tmp_path / "secret.txt")
    (posts / "near.txt").symlink_to("plain, file #1.txt")
    (posts / "folder").symlink_to(tmp_path)
    (posts / "hidden.txt").symlink_to("../.env")
    (posts / "loop.txt").symlink_to("loop.txt")
    (posts / "device.txt").symlink_to("/dev/zero")
    os.mkfifo(posts / "fifo.txt")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


OUTSIDE = (
    "../../notes.txt", "../../../secret.txt", "../posts/../../notes.txt", "link.txt",
    "folder/secret.txt", "folder/project/content/../notes.txt", "/etc/hostname", "\\\\host\\a",
    "//etc/hostname", "device.txt", "../../absent.txt", "folder/absent.txt",
)  # fmt: skip


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        (OUTSIDE, "lies outside of 'content'"),
        (("hidden.txt", "../.env"), "is a hidden file"),
        (("fifo.txt", ".", "../posts/"), "is not a plain file"),
    ],
)
def test_what_a_path_may_not_lead_to(work: Path, names: tuple[str, ...], sentence: str) -> None:
    posts = work / "content/posts"
    for name in names:
        with pytest.raises(InputError) as told:
            find_file(name, posts, Path("content"))
        assert told.value.sentence.startswith(f"'{name}' {sentence}")
        assert not isinstance(told.value, AbsentError)


def test_what_is_not_there_is_told_with_the_nearest_name(work: Path) -> None:
    posts = work / "content/posts"
    for name in ("", "a" * 5000, "a\0b", "\ud800", "loop.txt", "one.md/two", "absent/x"):
        with pytest.raises(AbsentError):
            find_file(name, posts, Path("content"))
    with pytest.raises(AbsentError, match=r"no file '\.\./posts/oen\.md'.*'\.\./posts/one\.md'"):
        find_file("../posts/oen.md", posts, Path("content"))


def test_what_a_path_may_lead_to(work: Path) -> None:
    posts = work / "content/posts"
    for name in ("plain, file #1.txt", "near.txt", "../posts/one.md", "folder/../one.md"):
        if name.startswith("folder"):  # the folder above another one than it seems
            (posts / "folder").unlink()
            (posts / "folder").symlink_to(".")
            name = "folder/one.md"
        assert find_file(name, posts, Path("content")).is_file()


def test_a_listing_shows_what_git_tracks(work: Path) -> None:
    def told(name: str) -> str:
        try:
            find_file(name, work, work, tracked=True)
        except InputError as error:
            return error.sentence
        return ""

    assert told("notes.txt") == ""
    assert told(".env") == "'.env' is a hidden file, which no page shows"
    subprocess.run(["git", "init", "-q"], check=True)
    assert told("notes.txt") == "", "nothing was added yet"
    subprocess.run(["git", "add", ".env"], check=True)
    assert told(".env") == ""
    assert told("notes.txt").startswith("git does not track 'notes.txt'")
    assert told(".git/config").startswith("git does not track '.git/config'")
    assert told("../secret.txt") == "'../secret.txt' lies outside of this repository"


def test_no_way_of_naming_a_file_leads_out_of_the_content(work: Path, capsys: Told) -> None:
    """Each line of the post is an error at its place, and nothing of it is copied."""
    ways = [
        "[link](../../notes.txt)", "[encoded](..%2f..%2fnotes.txt)", "[symbolic](link.txt)",
        "![a](../../notes.txt)", "![absolute](/srv/a.png)", "![symbolic](folder/secret.txt)",
        '<img src="../../notes.txt" alt="raw">',
        '::: figure src="../notes.txt" alt="a"\n:::', '::: figure src="link.txt" alt="a"\n:::',
        '::: plot script="../notes.txt" alt="a"\n:::', '::: plot script="posts" alt="a"\n:::',
        '::: include path=".env"\n:::', '::: include path="../secret.txt"\n:::',
        '::: include path="content/posts/link.txt"\n:::',
    ]  # fmt: skip
    text = HEAD.replace("title: One", "title: One\nimage: ../../notes.txt") + "\n\n".join(ways)
    (work / "content/posts/one.md").write_text(text)
    assert main(["build", "--run", "never"]) == 1
    told = capsys.readouterr().err.splitlines()[:-1]
    lines = [
        number
        for number, line in enumerate(text.split("\n"), 1)
        if line.startswith(("image:", "[", "!", "<img", "::: "))
    ]
    assert [int(line.split(":")[1]) for line in told] == lines
    assert not (work / "site").exists()


def test_no_name_of_a_file_passes_for_other_words(work: Path, capsys: Told) -> None:
    names = {"%00": r"\x00", "%1b[31mred": r"\x1b[31mred", "a%0aforged": r"a\nforged"}
    links = [f"[a]({name})" for name in [*names, "%ed%a0%80"]]
    (work / "content/posts/one.md").write_text(HEAD + "\n\n".join(links))
    assert main(["build", "--run", "never"]) == 1
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 5 and all(map(str.isprintable, told))
    for line, name in zip(told, names.values(), strict=False):
        assert line.endswith(f"there is no file '{name}'")


def test_a_post_is_no_way_to_another_file(work: Path, capsys: Told) -> None:
    post = work / "content/posts/two.md"
    for target, sentence in (
        ("../../notes.txt", "lies outside of"),
        ("fifo.txt", "is not a plain"),
    ):
        post.symlink_to(target)
        assert main(["build", "--run", "never"]) == 1
        told = capsys.readouterr().err
        assert told.startswith(f"content/posts/two.md: 'two.md' {sentence}")
        post.unlink()


def test_an_address_that_runs_a_script_leads_nowhere(tmp_path: Path) -> None:
    for address in (
        "javascript:a()",
        " JavaScript:a()",
        "java\nscript:a()",
        "\x01vbscript:a",
        "data:text/html,a",
    ):
        assert is_unsafe(address)
        assert web_address(address) == ""
        entry = Entry("a", Place("references.bib", 1, 1), [], {"title": "A", "url": address})
        assert "href" not in written(entry, str)
        (tmp_path / "site.toml").write_text(f"title = 'A'\nrepository = {json.dumps(address)}\n")
        with pytest.raises(InputError, match=r"not (an address of the web|hold the)") as told:
            load_site(tmp_path / "site.toml", None)
        assert told.value.line == 2
    for address in (
        "https://example.org/a(1)",
        "mailto:a@example.org",
        "file.html",
        "data:image/png;a",
    ):
        assert not is_unsafe(address)


def test_what_looks_like_a_post_elsewhere_is_told(work: Path, capsys: Told) -> None:
    for name in ("posts/two/index.md", "posts/Three.MD", "posts/parts/text.md"):
        (work / "content" / name).parent.mkdir(exist_ok=True)
        (work / "content" / name).write_text("" if "parts" in name else "---\ntitle: One\n---\n")
    assert main([]) == 0
    told = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in told] == [
        "content/posts/Three.MD", "content/posts/two/index.md",
    ]  # fmt: skip
    assert all("posts stand in 'posts' itself and end in '.md'" in line for line in told)


def test_a_page_at_an_old_address_takes_no_place_and_runs_nothing() -> None:
    def moved(*aliases: str) -> dict[str, bytes]:
        post = Summary(
            "posts/a.html", "A", Markup("A"), None, (), "", False, aliases=aliases,
            aliases_place=("a.md", 3),
        )  # fmt: skip
        return moved_pages([post], Site(), ["index.html", "posts/a.html", "CNAME"])

    for alias in (
        "CNAME",
        "/cname/",
        "CNAME/old.html",
        "INDEX.html",
        "posts/A.html",
        "Posts/a.html/b/",
    ):
        with pytest.raises(InputError, match="an address in use"):
            moved(alias)
    for alias in (
        "//tmp/x.html", ".git/hooks/", "a/../../../x", "a?p=1", "a#b", "a%2fb", 300 * "a",
    ):  # fmt: skip
        with pytest.raises(InputError, match=r"^a\.md:3:1: .* is no address within the site"):
            moved(alias)
    with pytest.raises(InputError, match="an address in use"):
        moved("old/x.html/y.html", "old/x.html")
    (page,) = moved("old/").values()
    assert b"content=\"default-src 'none';" in page


def test_a_script_beside_a_post_becomes_a_text_and_is_never_loaded(
    work: Path, capsys: Told
) -> None:
    (work / "content/posts/tool.js").write_text("alert(1)")
    scripts = [f'<script {name}="tool.js"></script>' for name in ("src", "SRC", "href")]
    links = ["[tool](tool.js)", '<a href="java&#10;script:alert(1)">x</a>']
    text = HEAD + "\n\n".join([*links[:1], *scripts])
    (work / "content/posts/one.md").write_text(text)
    assert main(["build", "--run", "never"]) == 0
    page = (work / "site/posts/one.html").read_text()
    assert [path.name for path in (work / "site/media").iterdir()] == re.findall(
        r'href="\.\./media/(tool-\w+\.js\.txt)"', page
    )
    assert page.count("<script>") == 3 and "tool.js<" not in page
    (work / "content/posts/one.md").write_text(text + "\n\n" + links[1])
    assert main(["build", "--run", "never"]) == 1
    assert "is an address that no page may link to" in capsys.readouterr().err


def test_ids_and_names_keep_letters_of_every_script(work: Path, capsys: Told) -> None:
    names = {"Größe": "größe", "Ψηφία και": "ψηφία-και", "数字 1": "数字-1", "हिन्दी है": "हिन्दी-है"}
    rows = [f"## {name}\n\n[raw](#{id}), [encoded](#{quote(id)})" for name, id in names.items()]
    links = [f"[post](<{quote(f'{name}.md')}>)" for name in names]
    posts = work / "content/posts"
    for name in names:
        (posts / f"{name}.md").write_text(f"# {name}\n")
    rows.append('<a href="#%CF%88">tag</a> <b id="ψ">here</b> <a name="n">n</a> [n](#n)')
    (posts / "one.md").write_text(HEAD + "\n\n".join([*rows, *links]))
    for path in posts.glob("*.txt"):
        path.unlink()
    base = ["--base-url", "https://example.org/"]
    assert main(["check", "--run", "never", *base]) == 0, capsys.readouterr().err
    pages = {path.stem for path in (work / "site/posts").glob("*.html")}
    assert pages == {"one", "größe", "ψηφία-και", "数字-1", "हिन्दी-है"}
    assert f"posts/{quote('数字-1')}.html" in (work / "site/sitemap.xml").read_text()
