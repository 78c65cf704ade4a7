"""What kind of DICOM object a file is: a picture of a patient, or something that only travels with pictures."""

from pydicom._uid_dict import UID_dictionary
from pydicom.uid import UID

from dashboard.errors import FileRefused

DIRECTORY = "1.2.840.10008.1.3.10"
# Classes whose pictures are cuts through the patient, by the modality each must name.
CUTS = {"MR": "MR Image", "CT": "CT Image", "PT": "PET Image"}
LEGACY_PET = "Positron Emission Tomography Image Storage"


def check_kind(sop_class_uid: str) -> str:
    """Return the standard's name of an image class.

    Raises
    ------
    FileRefused
        The object is no image; the message names it.
    """
    entry = UID_dictionary.get(sop_class_uid)
    if entry is None or entry[1] != "SOP Class":
        raise FileRefused("The file is an object of a private or unknown kind, not an image.")
    name = entry[0]
    if sop_class_uid == DIRECTORY:
        raise FileRefused("The file is the index of a medium (DICOMDIR); its images are read without it.")
    if "Image Storage" not in name:
        raise FileRefused(f"{name.removesuffix(' Storage')}: not an image.")
    return name


def expected_modality(sop_class_uid: str) -> str:
    """Modality that an object of this class must name, "" where several are allowed."""
    name = UID(sop_class_uid).name
    if name == LEGACY_PET:
        return "PT"
    for modality, words in CUTS.items():
        if words in name and "Color" not in name:
            return modality
    return ""
