"""Invented news in simplified and traditional Chinese and in English, by the sentence."""

import random
from typing import Literal

Language = Literal["zh-Hans", "zh-Hant", "en"]

# Who | did what | to what | and what of it; one line each, then the people.
_PHRASES: dict[Language, str] = {
    "zh-Hans": """
澄湾市议会|北岸码头|港务局发言人|市立图书馆|老城区的居民|气象台|海鸥号渡轮|电车公司|两位工程师
周三宣布|上午表示|在会上谈到|首次公开|讨论三年后批准了|与邻市共同签署了|重新审查了|暂时推迟了
新航线的时刻表|码头扩建的预算|旧桥的修缮计划|行道树的去留|夜间班次|候鸟的数量|阅览室的开放时间
，并说“这只是开始”|，预计明年春天完成|；反对者认为费用太高|（详见第3版）|，约合人民币1,200万元|
林若溪|陈海平|周舟
""",
    "zh-Hant": """
澄灣市議會|北岸碼頭|港務局發言人|市立圖書館|老城區的居民|氣象臺|海鷗號渡輪|電車公司|兩位工程師
週三宣布|上午表示|在會上談到|首次公開|討論三年後批准了|與鄰市共同簽署了|重新審查了|暫時推遲了
新航線的時刻表|碼頭擴建的預算|舊橋的修繕計畫|行道樹的去留|夜間班次|候鳥的數量|閱覽室的開放時間
，並說「這只是開始」|，預計明年春天完成|；反對者認為費用太高|（詳見第3版）|，約合新臺幣1,200萬元|
林若溪|陳海平|周舟
""",
    "en": """
The harbour council|Two engineers|A spokesman of the port|The city library|Ferry 7|Residents
 announced| reviewed| spoke on Wednesday about| made public| signed| put off| defended
 the new timetable| the plan for the old bridge| the budget| opening hours| the night service
 - “only a beginning”|, at a cost of $1.2 million|; others call it too dear| & more|
A. Lindqvist|R. Osei
""",
}
_PARTS = {
    language: [line.split("|") for line in phrases.strip("\n").split("\n")]
    for language, phrases in _PHRASES.items()
}


def clause(chance: random.Random, language: Language) -> str:
    """A sentence without its stop: long enough for a caption or a title."""
    return "".join(chance.choice(part) for part in _PARTS[language][:4])


def paragraph(chance: random.Random, language: Language) -> str:
    """One to five sentences on one line."""
    stop, gap = (".", " ") if language == "en" else ("。", "")
    return gap.join(clause(chance, language) + stop for _ in range(chance.randint(1, 5)))


def person(chance: random.Random, language: Language) -> str:
    return chance.choice(_PARTS[language][4])
