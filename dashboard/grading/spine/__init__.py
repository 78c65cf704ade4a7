"""From what the sagittal model saw to vertebrae and discs with names, and to what is measured of them. Pure."""
