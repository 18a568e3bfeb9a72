"""Bales: zip files with the records of one field."""

import zipfile
from pathlib import Path

from meadow.field import Field


def unpack(bale, folder):
    """Writes every entry of `bale` below `folder` and returns the paths written."""
    folder = Path(folder)
    written = []
    with zipfile.ZipFile(bale) as entries:
        for entry in entries.infolist():
            target = folder / entry.filename
            if entry.is_dir():
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(entries.read(entry))
            written.append(target)
    return written


def load(bale):
    """Reads the field that a bale holds."""
    with zipfile.ZipFile(bale) as entries:
        return Field.parse(entries.read("field.txt").decode("utf-8"))
