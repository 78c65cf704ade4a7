"""Date and time of a study where they are values of the standard (PS3.5, 6.2: DA and TM), nothing where they are not.

Scanners and archives write much else there (``2024-01-01``, ranges, zeros), which must never be taken for a date.
"""

import re
from datetime import datetime

from pydicom.dataset import Dataset

from dashboard.ingest.planes import header_value

TIME_TEXT = re.compile(r"([01]\d|2[0-3])([0-5]\d(([0-5]\d|60)(\.\d{1,6})?)?)?")
EARLIEST_YEAR, LATEST_YEAR = 1900, 2200


def study_date(dataset: Dataset) -> str:
    """StudyDate as YYYYMMDD, "" where it is absent or no date.

    Raises
    ------
    GeometryRefused
        The bytes are no text.
    """
    text = str(header_value(dataset, "StudyDate") or "").strip()
    try:
        valid = len(text) == 8 and EARLIEST_YEAR <= datetime.strptime(text, "%Y%m%d").year <= LATEST_YEAR
    except ValueError:
        return ""
    return text if valid else ""


def study_time(dataset: Dataset) -> str:
    """StudyTime as HH, HHMM or HHMMSS with up to six decimals, "" where it is absent or no time.

    Raises
    ------
    GeometryRefused
        The bytes are no text.
    """
    text = str(header_value(dataset, "StudyTime") or "").strip()
    return text if TIME_TEXT.fullmatch(text) else ""
