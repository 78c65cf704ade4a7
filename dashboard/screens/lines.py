"""Records -> the lines of the worklist and of the uploads, in words. Pure: the time is passed in."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo

from dashboard.grading import AXIAL_NEEDED, NOT_GRADED, Flag, Tier, moved_words, standing_tier
from dashboard.ingest import Identity
from dashboard.records import StudyRecord, StudyState, Upload, UploadState
from dashboard.screens.parts.drop_zone import UploadLine
from dashboard.screens.parts.worklist_table import Clock, StudyLine
from dashboard.screens.text import MISSING, counted, date, person_name, plain, probability
from dashboard.screens.tiers import BANDS, tier_words
from dashboard.sharing import CONSOLE

DAY, WEEK = timedelta(hours=24), timedelta(days=7)
# Older scans are priors or were read elsewhere; a clock that ended days ago would only distract.
CLOCK_SHOWN = timedelta(days=14)
CLOCK_WORDS = (
    "Clocks run from the scan, or from receipt where its time is unknown, and are shown for two weeks. "
    "24 h, for studies read with the immediate and urgent ones: NICE NG234 (2023) has treatment of confirmed cord "
    "compression start within 24 hours (source to be confirmed). 1 week, for other studies with suspected epidural "
    "tumour or known cancer: NG234's week for imaging of suspected spinal metastases without neurological signs "
    "(source to be confirmed). Once a person has graded a study, 2 or 3 has the 24 hours, 1a to 1c the week, and 0 "
    "neither, unless a flag asks for it. The clock of a patient starts with symptoms, which this list knows only if "
    "you set their onset."
)
CLOCK_TIERS = ("immediate", "urgent")
SUSPECTED = ("1a", "1b", "1c")
# A finished upload leaves the page by itself unless it has something left to say.
FINISHED_SHOWN = timedelta(minutes=1)
REJECTED_SHOWN = timedelta(hours=24)
STATUS = {
    StudyState.RECEIVED: ("received", "waiting to be analysed"),
    StudyState.RUNNING: ("being analysed", ""),
}
UNANALYSED_YET = "not analysed yet"


def study_line(
    study: StudyRecord,
    person: Identity | None,
    now: datetime,
    zone: tzinfo | None = None,
    people: Mapping[str, str] | None = None,
) -> StudyLine:
    """One line of the worklist.

    Parameters
    ----------
    person
        None where identities are not kept or not to be shown, or the files named nobody.
    zone
        Time zone the scanner's clock is taken to run in; None is this machine's.
    people
        Names of the team by id, to say who opened or read a study.
    """
    tier = study.tier or "waiting"
    words, mark = tier_words(tier)
    patient, detail = patient_words(person)
    # The tier says it already.
    reasons = [plain(reason, 200).removeprefix("not analysed: ") for reason in study.reasons]
    if study.tier is None:
        reasons = [STATUS.get(study.state, ("", UNANALYSED_YET))[1] or study.stage or "being analysed now"]
    acquired = acquisition_time(study.study_date, study.study_time, zone)
    status, status_detail = _status(study, people or {})
    moved = moved_words(study.tier, study.flags, study.read_grade)
    where, _, doubt = plain(study.place, 60).partition(" (")
    # The place is that of a slice without a grade: the grade is that of others.
    elsewhere = "elsewhere" if study.grade and NOT_GRADED in doubt else ""
    grade = " ".join(filter(None, ["grade", study.grade, elsewhere])) if study.grade else ""
    why, more = (reasons[0] if reasons else "not flagged"), _more(reasons)
    if why.endswith(f", {AXIAL_NEEDED}"):
        # What is to be done has a line of its own: the end of the first one may not be seen.
        why, more = why.removesuffix(f", {AXIAL_NEEDED}"), " · ".join(filter(None, (AXIAL_NEEDED, more)))
    return StudyLine(
        id=study.id,
        href=f"/study?study={study.id}",
        tier=tier,
        tier_words=words,
        mark=mark,
        moved=bool(moved),
        grade=study.grade or "",
        band=elsewhere or BANDS.get(study.band or "", ""),
        p_high=probability(study.probability_high),
        where=where or MISSING,
        where_detail=doubt.rstrip(")"),
        patient=patient,
        patient_detail=detail,
        synthetic=study.synthetic,
        why=why,
        why_more=" · ".join(filter(None, (moved, more))),
        received_at=study.received_at.isoformat(),
        waited_until=study.read_at.isoformat() if study.read_at else "",
        acquired_at=acquired.isoformat() if acquired else "",
        clocks=_clocks(study, acquired, now),
        status=status,
        status_detail=status_detail,
        unread=study.opened_at is None,
        spoken=", ".join(filter(None, [words, grade, study.place, patient])),
    )


def patient_words(person: Identity | None) -> tuple[str, str]:
    """Name, and the line below it with number, birth date and sex."""
    if person is None:
        return "no name shown", ""
    detail = [plain(person.patient_id, 40)]
    if person.birth_date:
        detail.append(f"born {date(person.birth_date)}")
    if person.sex:
        detail.append(plain(person.sex, 8))
    return person_name(person.patient_name) or "no name in the files", " · ".join(filter(None, detail))


def acquisition_time(study_date: str, study_time: str, zone: tzinfo | None = None) -> datetime | None:
    """When the scan was made, or None where the files do not say; a date without a time is its first minute."""
    time = (study_time.split(".")[0] + "000000")[:6]
    try:
        return datetime.strptime(study_date + time, "%Y%m%d%H%M%S").replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def upload_line(upload: Upload, now: datetime) -> UploadLine | None:
    """How far an upload has come; None for one that has nothing left to say."""
    finished = upload.state in (UploadState.DONE, UploadState.FAILED)
    if finished and upload.finished_at is not None:
        kept = REJECTED_SHOWN if upload.rejected or upload.reason else FINISHED_SHOWN
        if now - upload.finished_at > kept:
            return None
    if upload.state is UploadState.RECEIVING:
        return None
    if upload.state is UploadState.RECEIVED:
        return UploadLine(upload.id, "Received, waiting to be read", counted(upload.files_received, "file"), 0.0)
    if upload.state is UploadState.READING:
        part = upload.bytes_done / upload.bytes_received if upload.bytes_received else 0.0
        # Files inside archives count one by one, so there may be more of them than were sent.
        many = max(upload.files_done, upload.files_received)
        detail = f"{upload.files_done:,} of {counted(many, 'file')} · {counted(upload.accepted, 'image')}"
        return UploadLine(upload.id, "Reading", detail, min(1.0, part))
    return UploadLine(
        upload.id,
        plain(upload.reason, 300) or f"Read: {counted(upload.studies, 'study', 'studies')}",
        _ending(upload),
        finished=True,
        failed=upload.state is UploadState.FAILED or not upload.studies,
        rejected=upload.rejected,
    )


def _ending(upload: Upload) -> str:
    parts = [counted(upload.accepted, "image")]
    if upload.duplicates:
        parts.append(f"{counted(upload.duplicates, 'duplicate')} left out")
    if upload.rejected:
        parts.append(f"{counted(upload.rejected, 'file')} not used")
    return " · ".join(parts)


def _clocks(study: StudyRecord, acquired: datetime | None, now: datetime) -> tuple[Clock, ...]:
    """The clock of a study, if it has one; see :data:`CLOCK_WORDS`."""
    begun = acquired or study.received_at
    # Nothing is received before it is scanned: two machines' clocks, or their time zones, differ.
    if timedelta(0) < begun - study.received_at <= DAY:
        begun = study.received_at
    if study.tier is None or not timedelta(0) <= now - begun <= CLOCK_SHOWN:
        return ()
    # What a person graded counts before what was suggested; flags count in either case.
    tier = study.tier if study.read_grade is None else Tier.ROUTINE
    if standing_tier(tier, study.flags, study.read_grade) in CLOCK_TIERS:
        return (Clock("24 h", (begun + DAY).isoformat()),)
    if (study.read_grade or study.grade) in SUSPECTED or study.flags.get(Flag.KNOWN_CANCER):
        return (Clock("1 week", (begun + WEEK).isoformat()),)
    return ()


def _more(reasons: list[str]) -> str:
    return f"and {counted(len(reasons) - 1, 'more reason')}" if len(reasons) > 1 else ""


def _status(study: StudyRecord, people: Mapping[str, str]) -> tuple[str, str]:
    if study.state in STATUS:
        return STATUS[study.state][0], ""
    if study.read_at is not None:
        read = f"grade {study.read_grade}" if study.read_grade else "cannot be graded"
        return f"read: {read}", _by(study.read_by, people)
    return ("opened", _by(study.opened_by, people)) if study.opened_at else ("new", "")


def _by(author: str, people: Mapping[str, str]) -> str:
    return f"by {plain(people[author], 40)}" if author in people and author != CONSOLE.id else ""
