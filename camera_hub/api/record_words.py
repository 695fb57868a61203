"""The words of records in a language, as settings and the house have them."""

from collections.abc import Mapping

from camera_hub.health.notices.cause_words import CAUSES, CAUSES_EN
from camera_hub.patrol.records.sheet_words import BothWords, RecordWords
from camera_hub.settings import Settings
from camera_hub.sheets.language import SheetLanguage, said


def record_words(settings: Settings, language: SheetLanguage) -> RecordWords:
    """What sheets, and whoever verifies records, call causes and categories."""
    causes: Mapping[str, str] = CAUSES_EN if language == "en" else CAUSES
    categories = {code: said(words, language) for code, words in settings.patrol.finding_categories.items()}
    return RecordWords(language, causes, categories, settings.site.zone, settings.reports.township)


def both_words(settings: Settings) -> BothWords:
    """In both languages, for what is told before anybody has asked for one."""
    return BothWords(record_words(settings, "zh"), record_words(settings, "en"))
