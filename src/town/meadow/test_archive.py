import zipfile

import pytest

from meadow.archive import unpack


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/out.txt"])
def test_entries_stay_below_the_folder(tmp_path, name):
    bale = tmp_path / "field.bale"
    with zipfile.ZipFile(bale, "w") as entries:
        entries.writestr(name, "hay")
    with pytest.raises(ValueError):
        unpack(bale, tmp_path / "below")
    assert not (tmp_path / "out.txt").exists()
