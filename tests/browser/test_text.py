"""Text in files is data: names, numbers, descriptions and file names that hope to be markup, formulas or commands.

What is planted carries one word, and that word is searched for wherever only ids may go.
"""

import io
import re
import subprocess
import sys
import urllib.request
import warnings
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from playwright.sync_api import Page, expect

from dashboard.records import Records, Upload, get_people, list_uploads, open_records, worklist
from dashboard.screens.text import person_name, plain
from dashboard.settings import load_settings
from dashboard.sharing import CONSOLE, LinkKind, make_link
from tests.browser.server import Server
from tests.browser.viewer import expect_picture, pane

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PLANTED = "qzxvkw"
HOSTILE = (
    f"<img src=x onerror=window.pwned=1>{PLANTED}",
    f"<script>window.pwned=1</script>{PLANTED}",
    f'"><svg onload=window.pwned=1>{PLANTED}',
    f"<a href='javascript:window.pwned=1'>{PLANTED}</a>",
    f"</td></tr></table><iframe src=//evil.example>{PLANTED}",
    f"<b>{PLANTED}</b><br><i>plotly</i>",
    f"[{PLANTED}](javascript:window.pwned=1) **bold** :red[x] $x^2$ `code`",
    f"{{{{7*7}}}}${{7*7}}<%=7*7%>%s%n{PLANTED}",
    f"=HYPERLINK(//evil.example;{PLANTED})",
    f"@SUM(1+1)*cmd|{PLANTED}",
    f"A\u202e{PLANTED}\u2066exe\u200b\ufeff",
    f"bell\x07\x1b[31mred\x1b[0m\x00{PLANTED}",
    f"&lt;img&gt;&#60;{PLANTED}",
    f"'; DROP TABLE studies; --{PLANTED}",
    f"../../etc/passwd {PLANTED}",
    f"{PLANTED}{'N' * 1000}",
    PLANTED + "\u0301" * 200,
)
CHARSETS = (
    ("ISO_IR 100", "Ünal^Zoë", "Ünal, Zoë"),
    ("ISO_IR 101", "Wałęsa^Łucja", "Wałęsa, Łucja"),
    ("ISO_IR 109", "Ċikku^Ħal", "Ċikku, Ħal"),
    ("ISO_IR 110", "Bērziņš^Jānis", "Bērziņš, Jānis"),
    ("ISO_IR 144", "Люксембург^Роза", "Люксембург, Роза"),
    ("ISO_IR 127", "قباني^لنزار", "قباني, لنزار"),
    ("ISO_IR 126", "Διονυσιος^Σ", "Διονυσιος, Σ"),
    ("ISO_IR 138", "שרון^דבורה", "שרון, דבורה"),
    ("ISO_IR 148", "Çavuşoğlu^İpek", "Çavuşoğlu, İpek"),
    ("ISO_IR 166", "นามสกุล^ชื่อ", "นามสกุล, ชื่อ"),
    ("ISO_IR 192", "Buc^Jérôme=王^小东", "Buc, Jérôme"),
    ("GB18030", "=王^小东", "王, 小东"),
    ("GBK", "=李^娜", "李, 娜"),
    ("\\ISO 2022 IR 87", "=山田^太郎=やまだ^たろう", "山田, 太郎"),
    ("\\ISO 2022 IR 149", "=洪^吉洞=홍^길동", "洪, 吉洞"),
)
MARKUP = ("img[src='x']", "[onerror]", "[onload]", "svg[onload]", "a[href^='javascript']", "iframe", ".stMain script")


def add(archive: zipfile.ZipFile, files: list[Path], place: int, name: str, charset: str, text: str | None) -> None:
    """A study of a few slices with a name, and `text` wherever else a person types."""
    for file in files:
        dataset, written = pydicom.dcmread(file), io.BytesIO()
        with warnings.catch_warnings():
            # Hostile values break the rules of their kind, which is the point.
            warnings.simplefilter("ignore")
            dataset.SpecificCharacterSet = charset.split("\\")
            dataset.StudyInstanceUID = f"2.25.4711{place}"
            dataset.SeriesInstanceUID = f"2.25.4711{place}.1"
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{dataset.SOPInstanceUID}.{place}"
            dataset.PatientName, dataset.PatientID = name, f"P{place}" if text is None else text[:60_000]
            if text is not None:
                for keyword in ("StudyDescription", "SeriesDescription", "InstitutionName", "PatientComments"):
                    setattr(dataset, keyword, text[:60_000])
                dataset.AccessionNumber = dataset.StudyID = text[:60]
            dataset.save_as(written)
        archive.writestr(f"{place}/{file.name}", written.getvalue())


@pytest.fixture(scope="module")
def drop(demonstration: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One ZIP with a study for each text, one of them whole, and files that are no images under such names."""
    path = tmp_path_factory.mktemp("text") / "studies.zip"
    files = sorted(demonstration.iterdir())
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, text in enumerate(HOSTILE):
            add(archive, files if place == 0 else files[:3], place, text, "ISO_IR 192", text)
            archive.writestr(f"notes/{place} {text[:40].replace('/', '')}.txt", "not an image")
        # What is longer than any text of its kind can be is refused, and says so.
        add(archive, files[:1], 99, PLANTED, "ISO_IR 192", f"{PLANTED}{'N' * 65_000}")
        for place, (charset, name, _) in enumerate(CHARSETS, start=len(HOSTILE)):
            add(archive, files[:3], place, name, charset, None)
    return path


@pytest.fixture(scope="module")
def records(server: Server) -> Iterator[Records]:
    opened = open_records(load_settings({"TRIAGE_DATA_DIR": str(server.data_dir)}))
    yield opened
    opened.close()


@pytest.fixture
def asked(page: Page) -> Iterator[list[str]]:
    """Every address the page asks for. A dialog, or a script that ran, fails the test."""
    addresses: list[str] = []
    dialogs: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    yield addresses
    assert dialogs == []
    assert not any("evil.example" in address or PLANTED in address for address in addresses)


def harmless(page: Page) -> None:
    """Nothing that was planted has become part of the page's making."""
    assert page.evaluate("window.pwned") is None
    for selector in MARKUP:
        assert page.locator(selector).count() == 0, selector
    assert page.title() == "Spine Triage"
    assert PLANTED not in page.url


def names(records: Records) -> dict[str, str]:
    """Study id to the patient's name as it is kept."""
    with records.reading() as session:
        found = [study.id for study in worklist(session)]
        people = get_people(session, records.keys, found)
    return {study: people[study].patient_name if study in people else "" for study in found}


def last_upload(records: Records) -> Upload:
    with records.reading() as session:
        return list_uploads(session)[0]


def test_one_drop_of_all_texts_becomes_studies(page: Page, server: Server, drop: Path, asked: list[str]) -> None:
    page.goto(server.url)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files or ZIPs").click()
    chooser.value.set_files(drop)
    # And the one whose only file is refused: it is there, not analysed.
    count = len(HOSTILE) + len(CHARSETS) + 1
    expect(page.locator("tbody tr[data-id]")).to_have_count(count)
    expect(page.locator("tbody tr[data-id]:not([data-tier=waiting])")).to_have_count(count)
    harmless(page)


@pytest.mark.parametrize(("charset", "shown"), [(charset, shown) for charset, _, shown in CHARSETS])
def test_every_character_set_reads_as_it_was_written(records: Records, charset: str, shown: str) -> None:
    assert shown in {person_name(name) for name in names(records).values()}


def test_the_list_shows_every_name_as_text(page: Page, server: Server, records: Records, asked: list[str]) -> None:
    page.goto(server.url)
    for study, name in names(records).items():
        line = page.locator(f"tbody tr[data-id='{study}']")
        expect(line).to_contain_text(person_name(name)[:40])
    # One hostile line is as high as a line of a plain long name may be: nobody pushes the others off the page.
    heights = page.locator("tbody tr[data-id]").evaluate_all("rows => rows.map(row => row.offsetHeight)")
    assert max(heights) < 300
    harmless(page)


def test_the_study_shows_every_text_as_text(page: Page, server: Server, records: Records, asked: list[str]) -> None:
    hostile = {study: name for study, name in names(records).items() if PLANTED in name}
    assert len(hostile) == len(HOSTILE)
    for study, name in hostile.items():
        page.goto(f"{server.url}/study?study={study}")
        expect(page.locator(".triage-head .who b")).to_have_text(person_name(name))
        expect_picture(page)
        page.get_by_text(re.compile(r"Series: \d+ of \d+ analysed")).click()
        expect(page.locator("details[open] [data-testid=stDataFrame]").first).to_be_visible()
        # What a series is called stands in the viewer as text, and in its lists.
        assert pane(page).get_by_role("combobox").evaluate("(list) => list.querySelectorAll('option > *').length") == 0
        harmless(page)


def test_files_that_were_not_used_are_named_as_text(
    page: Page, server: Server, records: Records, asked: list[str]
) -> None:
    page.goto(f"{server.url}/upload?upload={last_upload(records).id}")
    expect(page.locator("h2")).to_contain_text(f"{len(HOSTILE) + 1} files of this upload not used")
    expect(page.locator("[data-testid=stDataFrame]")).to_be_visible()
    harmless(page)


def test_links_and_deletion_name_the_patient_as_text(
    page: Page, server: Server, records: Records, asked: list[str]
) -> None:
    kept = names(records)
    (study, name) = next((study, name) for study, name in kept.items() if name.startswith("["))
    make_link(records, CONSOLE, study, LinkKind.INSTANT, False, datetime.now(UTC))
    page.goto(f"{server.url}/links")
    expect(page.get_by_text(plain(person_name(name), 40))).to_be_visible()
    assert page.locator(".stMain strong").count() == 0
    page.goto(f"{server.url}/study?study={study}")
    page.get_by_role("button", name="Delete this study").click()
    expect(page.get_by_role("dialog")).to_contain_text(person_name(name)[:40])
    harmless(page)
    page.goto(f"{server.url}/audit")
    expect(page.locator("[data-testid=stDataFrame]")).to_be_visible()
    harmless(page)


def test_the_planted_word_is_nowhere_but_in_the_encrypted_table(server: Server, records: Records) -> None:
    word = PLANTED.encode()
    assert PLANTED not in server.log.read_text(errors="replace")
    with urllib.request.urlopen(f"{server.url}/_stcore/metrics", timeout=30) as answer:
        assert word not in answer.read()
    export = subprocess.run(
        [sys.executable, "-m", "dashboard", "audit", "export"],
        cwd=Path(__file__).resolve().parents[2],
        env={"TRIAGE_DATA_DIR": str(server.data_dir)},
        capture_output=True,
        check=True,
    )
    assert b"view_study" in export.stdout
    assert word not in export.stdout + export.stderr
    upload = last_upload(records)
    assert PLANTED not in repr((upload.reason, upload.rejections))
    files = [path for path in server.data_dir.rglob("*") if path.is_file()]
    assert len(files) > len(HOSTILE)
    assert [path.name for path in files if word in path.read_bytes() or PLANTED in path.name] == []


@pytest.mark.shared_data
def test_damaged_and_foreign_files_dropped_at_once_are_told_in_text(
    page: Page, server: Server, records: Records, shared_data: Path, tmp_path: Path, asked: list[str]
) -> None:
    dropped = tmp_path / "fixtures.zip"
    before = set(names(records))
    with zipfile.ZipFile(dropped, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted([*(shared_data / "malformed").iterdir(), *(shared_data / "syntaxes").iterdir()]):
            archive.write(file, file.name)
    page.goto(server.url)
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose files or ZIPs").click()
    chooser.value.set_files(dropped)
    # The line of this upload stands above that of the first one.
    expect(page.get_by_role("button", name="Files not used")).to_have_count(2, timeout=240_000)
    expect(page.locator("tbody tr[data-id][data-tier=waiting]")).to_have_count(0, timeout=240_000)
    harmless(page)
    found = {study: name for study, name in names(records).items() if study not in before}
    assert len(found) > 10
    for study, name in found.items():
        page.goto(f"{server.url}/study?study={study}")
        expect(page.locator(".triage-head .who b")).to_have_text(person_name(name) or re.compile("^no name "))
        expect(page.get_by_text(re.compile(r"Series: \d+ of \d+ analysed"))).to_be_visible()
        assert page.locator("[data-testid=stException]").count() == 0
        harmless(page)
    written = server.log.read_text(errors="replace")
    assert "FUZZ" not in written
    assert "Traceback" not in written
