"""Giving a de-identified object its original UIDs back, for the archive the images came from."""

from collections.abc import Mapping, MutableSequence

from pydicom.dataset import Dataset
from pydicom.uid import UID


def restore_uids(dataset: Dataset, original_uids: Mapping[str, str]) -> int:
    """Put original UIDs in the place of ours, in place, at every depth and in the file's meta information.

    Parameters
    ----------
    dataset
        An object of ours: masks, a report.
    original_uids
        Original UIDs by the UIDs that stand for them. UIDs not named, such as those of the object itself, stay.

    Returns
    -------
    int
        How many values were put back.
    """
    restored = _restore(dataset, original_uids)
    meta = getattr(dataset, "file_meta", None)
    return restored + (_restore(meta, original_uids) if meta is not None else 0)


def _restore(dataset: Dataset, original_uids: Mapping[str, str]) -> int:
    restored = 0
    for element in dataset:
        if element.VR == "SQ":
            restored += sum(_restore(item, original_uids) for item in element.value)
        elif element.VR == "UI" and element.value:
            values = list(element.value) if isinstance(element.value, MutableSequence) else [element.value]
            known = [value for value in values if value in original_uids]
            if known:
                restored += len(known)
                put_back = [UID(original_uids.get(value, value)) for value in values]
                element.value = put_back if len(put_back) > 1 else put_back[0]
    return restored
