"""Words for place classes in sheets. Pure."""

import unicodedata

PLACE_WORDS = {
    "key_road": "重点路段",
    "key_unit": "重点单位",
    "high_incidence": "案件高发区域",
    "entrance": "村口",
    "school": "学校",
    "water": "水域",
    "forest": "林区",
    "field": "田间",
    "square": "广场",
    "other": "其他",
}
"""Place class → the word that our own sheets have."""
_ALSO = {
    "key_road": (
        "路段 重要路段 主要路段 路面 村道 村主干道 县道 乡道 省道 国道 道路 主干道 "
        "路口 重点道路 重点路口 公路 交通要道 十字路口 桥梁 桥"
    ),
    "key_unit": (
        "卫生室 村部 粮站 养老院 敬老院 单位 重点部位 重点场所 要害单位 企业 党政机关 村委会 银行 医院 加油站"
    ),
    "high_incidence": (
        "案件高发部位 案件多发区域 案件多发 高发区域 案件高发 高发区 案件高发区 "
        "易发区域 重点区域 治安复杂区域 易发案区域"
    ),
    "entrance": ("进村口 村庄出入口 主要出入口 重点出入口 出入口 村出入口 卡口 进出口 村头 小区出入口 小区门口"),
    "school": "中学 小学 学校门口 校园 学校周边 校园周边 幼儿园 校门口",
    "water": ("江河 湖泊 塘坝 堤坝 大坝 坝 重点水域 水库 河道 池塘 河流 水塘 危险水域 防溺水 水边"),
    "forest": "林缘 林边 林地 山林 森林 林区路口 进山路口 入山口 山口 防火卡口 森林防火 林场 景区林区 林区卡口",
    "field": "田边 农田 田野 田块 耕地 地头 田头 秸秆禁烧 禁烧点 秸秆焚烧 秸秆禁烧点 田间地头 麦田 稻田 大田",
    "square": "休闲广场 活动广场 公园 文化广场 村民广场 健身广场",
    "other": ("其它 普通 一般 无 公共部位 公共区域 公共场所 居民小区 小区 居民区 住宅区 社区 村内 巷道 村巷"),
}
_BY_WORD = {
    word.lower(): key
    for key, zh in PLACE_WORDS.items()
    for word in (zh, key, key.replace("_", " "), *_ALSO[key].split())
}


def place_class_of(text: str) -> str | None:
    """The place class that a word stands for, None for an unknown one."""
    return _BY_WORD.get("".join(unicodedata.normalize("NFKC", text).split()).lower()) or _BY_WORD.get(
        unicodedata.normalize("NFKC", text).strip().lower()
    )
