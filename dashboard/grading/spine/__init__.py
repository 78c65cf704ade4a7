"""The sagittal spine in numbers: shapes of bodies and discs, the canal along its length, findings by level."""
