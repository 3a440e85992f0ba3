"""What stopped a message or a notice, in the language of whoever asks."""

from sgi.domain.french import LINKS, MESSAGES, in_french
from sgi.domain.words import Language


def link_words(sentence: str | None, language: Language) -> str | None:
    """A sentence of ours, kept in English, in the language asked for; the words of the other
    system, and ids, stay what they are.
    """
    if sentence is None or language is Language.ENGLISH:
        return sentence
    return in_french(sentence, table=LINKS) or in_french(sentence, table=MESSAGES) or sentence
