"""What speaks against a choice, in a sentence each."""

from collections.abc import Iterable

from sgi.domain.identification import Doubt
from sgi.domain.words import Language

_SENTENCES = {
    Doubt.ANOTHER_PATIENT: (
        "The INS code on the label is another person's than the slide's patient.",
        "Le code INS de l'étiquette est celui d'une autre personne que le patient de la lame.",
    ),
    Doubt.ANOTHER_GLASS: (
        "The label's code names another slide.",
        "Le code de l'étiquette désigne une autre lame.",
    ),
    Doubt.NOT_NAMED: (
        "Nothing on the label names this slide.",
        "Rien sur l'étiquette ne désigne cette lame.",
    ),
    Doubt.TAKEN_AWAY: (
        "A person has taken the image away from this slide before.",
        "Une personne a déjà retiré l'image de cette lame.",
    ),
    Doubt.SIGNED_OUT: ("Its case is signed out.", "Son cas est validé."),
}


def sentences(doubts: Iterable[str], language: Language) -> list[str]:
    """In their order."""
    return [_SENTENCES[Doubt(each)][language is Language.FRENCH] for each in doubts]
