import pytest

from tbd.errors import InputError
from tbd.speech.phones import SILENCE, Phone, from_arpabet, load_phones, merge_silences, save_phones


def test_arpabet_is_read_with_stress():
    assert from_arpabet("IY1") == ("i", 1)
    assert from_arpabet("pau") == (SILENCE, 0)
    with pytest.raises(InputError, match="not an ARPAbet phone"):
        from_arpabet("qq")


def test_pauses_merge_and_empty_phones_go():
    phones = [Phone(0, 1, SILENCE), Phone(1, 1, "p"), Phone(1, 2, SILENCE), Phone(2, 3, "ɑ")]
    assert merge_silences(phones) == [Phone(0, 2, SILENCE), Phone(2, 3, "ɑ")]


def test_phone_tables_are_read_back(tmp_path):
    phones = [Phone(0.0, 0.25, SILENCE), Phone(0.25, 0.5, "tʃ", 1)]
    save_phones(phones, tmp_path / "phones.csv")
    assert load_phones(tmp_path / "phones.csv") == phones
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match="start,end,phone,stress"):
        load_phones(tmp_path / "other.csv")
    with pytest.raises(InputError, match="no phone table"):
        load_phones(tmp_path / "none.csv")
