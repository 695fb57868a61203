"""Pinyin of names: what people search for, and the same as pypinyin would say."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from camera_hub.cameras.register import pinyin
from camera_hub.cameras.register.pinyin import pinyin_of
from camera_hub.errors import HubError

NAMES = [
    *("长安街", "重庆路", "银行东门", "朝阳小区", "女子学校", "行政村", "西厢房", "调度室", "〇五号", "㐀村", "会计室"),
    *("藏族乡", "厦门路", "长沙湾", "便宜坊", "王庄（北）入口", "大桥南侧-枪机01", "中国人民银行", "嗯村", "不同凡响"),
]


@pytest.mark.parametrize(
    ("name", "full", "initials"),
    [
        ("董家村", "dongjiacun", "djc"),
        ("银行东门", "yinhangdongmen", "yhdm"),
        ("East Gate 2", "eastgate2", "eg2"),
        ("绿地 B区3栋", "lvdibqu3dong", "ldbq3d"),
        ("单家庄", "danjiazhuang shanjiazhuang", "djz sjz"),
        ("", "", ""),
        ('村"\n"', "cun", "c"),
    ],
)
def test_a_name_is_found_by_its_pinyin_and_by_its_initials(name: str, full: str, initials: str) -> None:
    assert pinyin_of(name) == (full, initials)


@pytest.mark.slow
def test_the_readings_are_those_of_pypinyin() -> None:
    from pypinyin import lazy_pinyin

    for name in NAMES:
        with pinyin._Dictionary() as dictionary:
            ours = [part for part in dictionary.parts(name) if part.isalpha()]
        assert ours == [part for part in lazy_pinyin(name, errors="ignore") if part], name


@settings(max_examples=30, deadline=None)
@given(st.text(st.sampled_from('长行重庆银东门村庄a1 "\n:[],𠀀'), max_size=12))
def test_any_name_gives_plain_letters_and_digits(name: str) -> None:
    for reading in pinyin_of(name):
        assert reading.replace(" ", "").isascii()
        assert not reading.strip(" ") or reading.replace(" ", "").isalnum()


def test_the_dictionaries_are_not_loaded() -> None:
    program = (
        "import sys; from camera_hub.cameras.register.pinyin import pinyin_of; pinyin_of('银行');"
        "sys.exit('pypinyin' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_missing_dictionaries_are_an_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pinyin, "find_spec", lambda name: SimpleNamespace(origin=str(tmp_path / "__init__.py")))
    with pytest.raises(HubError, match="reinstall"):
        pinyin_of("村")
