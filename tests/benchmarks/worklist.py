"""Time of the worklist of 10,000 studies, beside reading, decrypting and sorting all of it anew, in the same run.

With ``--page`` also in headless Chromium: from the address to the first row, to the last row by the End key, and to a
search's result.

usage: python -m tests.benchmarks.worklist [--studies N] [--page]
"""

import argparse
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from dashboard.ingest import Identity
from dashboard.records import Records, WorklistMirror, get_people, keep_identity, mark_opened, open_records, worklist
from dashboard.records.tables import StudyRow
from dashboard.screens.lines import study_line
from dashboard.screens.list_filter import Wanted, narrowed
from dashboard.screens.parts.worklist_table import PART
from dashboard.settings import REPOSITORY, load_settings
from dashboard.study import GRADES
from tests.benchmarks.timing import median_s

TARGET_S = 0.3
TIERS = ("routine", "soon", "soon", "soon", "urgent", "immediate")


def fill(records: Records, count: int, now: datetime) -> None:
    """`count` graded studies of made-up people; one in two was opened, one in three of these read."""
    rng = np.random.default_rng(1)
    with records.writing() as session:
        for number in range(count):
            grade = int(rng.choice(6, p=(0.6, 0.1, 0.1, 0.08, 0.07, 0.05)))
            received = now - timedelta(minutes=float(rng.uniform(1, 60 * 24 * 90)))
            opened = received + timedelta(minutes=float(rng.lognormal(3.0 - 0.4 * grade, 0.8)))
            read = opened + timedelta(minutes=4)
            row = StudyRow(
                id=f"{number:032x}",
                study_instance_uid=f"2.25.{number}",
                patient_key=str(number),
                state="graded",
                study_date=f"{received:%Y%m%d}",
                study_time=f"{received:%H%M%S}",
                tier=TIERS[grade],
                score=float(20 * grade),
                grade=GRADES[grade],
                band=("low", "low", "low", "watch", "high", "high")[grade],
                probability_high=grade / 6,
                reasons=[f"suspected grade {GRADES[grade]}", "slices agree"],
                received_at=received,
                finished_at=received,
                opened_at=opened if number % 2 and opened < now else None,
                read_at=read if number % 6 == 1 and read < now else None,
                read_grade=GRADES[max(0, min(5, grade + int(rng.integers(-1, 2))))],
                flags={"new_deficit": "yes"} if number % 97 == 0 else {},
                place=f"slice {number % 30 + 1} of 34",
                regions=("cervical", "thoracic", "lumbar", "")[number % 4],
                current_finding_id=None,
            )
            session.add(row)
            person = Identity(patient_name=f"Family{number:05d}^Given", patient_id=f"N{number:06d}")
            session.flush()
            keep_identity(session, records.keys, row.id, person)


def naive(records: Records, now: datetime) -> int:
    """Every study read, decrypted, sorted and put into words."""
    with records.reading() as session:
        found = worklist(session)
        people = get_people(session, records.keys, [study.id for study in found])
    return len([study_line(study, people.get(study.id), now) for study in found])


def refresh(mirror: WorklistMirror, now: datetime, wanted: Wanted) -> int:
    """What one refresh of the page asks for."""
    shown = narrowed(mirror.look().by_urgency, wanted, names=True)
    return len([study_line(entry.study, entry.person, now) for entry in shown[:PART]])


def page_times(data_dir: Path, last: str) -> None:
    """Times as a person sees them."""
    from playwright.sync_api import sync_playwright

    from tests.browser.conftest import ARGUMENTS, CHROMIUM
    from tests.browser.server import Server

    server = Server(REPOSITORY, data_dir)
    server.start()
    try:
        with sync_playwright() as playwright:
            page = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS).new_page()
            page.set_default_timeout(60_000)
            rows = page.locator("tbody tr[data-id]")
            for what in ("first visit", "second visit"):
                start = time.perf_counter()
                page.goto(server.url)
                rows.first.wait_for()
                print(f"{what}, to the first row: {time.perf_counter() - start:.2f} s")
            rows.first.focus()
            start = time.perf_counter()
            page.keyboard.press("End")
            page.locator(f"tr[data-id='{last}']:focus").wait_for()
            print(f"End key, to the last row: {time.perf_counter() - start:.2f} s")
            start = time.perf_counter()
            page.get_by_placeholder("Name, number, level").fill("family00042")
            page.keyboard.press("Enter")
            page.get_by_text("1 of ", exact=False).first.wait_for()
            print(f"search, to its result: {time.perf_counter() - start:.2f} s")
    finally:
        server.stop()


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--page", action="store_true")
    chosen = parser.parse_args()
    now = datetime.now(UTC)
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder) / "data"
        records = open_records(load_settings({"TRIAGE_DATA_DIR": str(data_dir)}))
        fill(records, chosen.studies, now)
        mirror = WorklistMirror(records)
        baseline = median_s(lambda: naive(records, now), 3)
        start = time.perf_counter()
        mirror.look()
        first = time.perf_counter() - start
        idle = median_s(lambda: refresh(mirror, now, Wanted()), 30)
        search = median_s(lambda: refresh(mirror, now, Wanted(words="family00042")), 5)

        def after_a_change() -> None:
            with records.writing() as session:
                mark_opened(session, next(one.study.id for one in mirror.look().by_arrival), "somebody", now)
                session.get_one(StudyRow, f"{0:032x}").score = time.perf_counter()
            refresh(mirror, now, Wanted())

        changed = median_s(after_a_change, 10)
        last = mirror.look().by_urgency[-1].study.id
        records.close()
        print(f"{chosen.studies:,} studies, median ms: all anew {1000 * baseline:.0f}, first look {1000 * first:.0f}")
        for name, seconds in (("idle refresh", idle), ("refresh after a change", changed), ("search", search)):
            print(f"{name}: {1000 * seconds:.1f} ms, {seconds / baseline:.3f} of all anew, at most {TARGET_S} s wanted")
        if chosen.page:
            page_times(data_dir, last)


if __name__ == "__main__":
    main()
