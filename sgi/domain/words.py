"""The sentences that say why an arrival is no slide: what is wrong, and what to do."""

from enum import StrEnum

from sgi.domain.arrival import Reason, ReasonCode
from sgi.domain.french import in_french


class Language(StrEnum):
    """The languages that people are spoken to in."""

    FRENCH = "fr"
    ENGLISH = "en"


_SENTENCES: dict[ReasonCode, tuple[str, str]] = {
    ReasonCode.BEING_WRITTEN: (
        "The file is still being written; it is taken as soon as it stays unchanged.",
        "Le fichier est en cours d'écriture ; il sera pris dès qu'il ne change plus.",
    ),
    ReasonCode.COMPANION_MISSING: (
        "A file or folder that belongs to this slide is missing; copy it beside the file.",
        "Un fichier ou dossier de cette lame manque ; copiez-le à côté du fichier.",
    ),
    ReasonCode.SAME_CONTENT_IN_WORK: (
        "Another file with the same content is being taken in; this one waits for it.",
        "Un autre fichier au contenu identique est en cours ; celui-ci l'attend.",
    ),
    ReasonCode.WAS_DESTROYED: (
        "A slide of this very content was destroyed on purpose; remove the file.",
        "Une lame au contenu identique a été détruite volontairement ; retirez le fichier.",
    ),
    ReasonCode.ALREADY_A_SLIDE: (
        "The same content is a slide already; nothing had to be done.",
        "Ce contenu est déjà une lame ; il n'y avait rien à faire.",
    ),
    ReasonCode.UNKNOWN_FORMAT: (
        "The file is not a slide in any known format; check that it is the scanner's file.",
        "Le fichier n'est une lame dans aucun format connu ; vérifiez qu'il vient du scanner.",
    ),
    ReasonCode.AMBIGUOUS_FORMAT: (
        "Two readers claim this file; ask your administrator to choose one.",
        "Deux lecteurs reconnaissent ce fichier ; demandez à l'administrateur de choisir.",
    ),
    ReasonCode.UNSUPPORTED: (
        "The format is known, but this kind of slide cannot be read yet; export it differently.",
        "Le format est connu, mais ce type de lame ne peut pas être lu ; exportez-la autrement.",
    ),
    ReasonCode.DAMAGED: (
        "The file is damaged; copy it again from the scanner, or scan the slide again.",
        "Le fichier est endommagé ; recopiez-le depuis le scanner, ou renumérisez la lame.",
    ),
    ReasonCode.TOO_LARGE: (
        "The file announces more than any slide holds; it was set aside as damaged.",
        "Le fichier annonce plus qu'une lame ne contient ; il est écarté comme endommagé.",
    ),
    ReasonCode.TOO_SLOW: (
        "Reading the file took too long; check it on the scanner, or raise the time limit.",
        "La lecture du fichier est trop longue ; contrôlez-le, ou augmentez la limite de temps.",
    ),
    ReasonCode.TOO_MUCH_MEMORY: (
        "Reading the file took too much memory; check it on the scanner, or raise the limit.",
        "La lecture du fichier demande trop de mémoire ; contrôlez-le, ou augmentez la limite.",
    ),
    ReasonCode.READER_CRASHED: (
        "The file made its reader fail; copy it again from the scanner.",
        "Le fichier a fait échouer son lecteur ; recopiez-le depuis le scanner.",
    ),
    ReasonCode.UNREADABLE: (
        "The service may not read the file; give it access, then retry.",
        "Le service n'a pas le droit de lire le fichier ; donnez-lui l'accès, puis réessayez.",
    ),
    ReasonCode.VANISHED: (
        "The file went away before it was taken in; drop it again.",
        "Le fichier a disparu avant d'être pris en charge ; déposez-le à nouveau.",
    ),
    ReasonCode.PART_OF_ANOTHER: (
        "The file belongs to another slide and is taken in with it.",
        "Le fichier fait partie d'une autre lame et sera pris avec elle.",
    ),
    ReasonCode.CHANGED: (
        "The file changed while it was being read; it is taken again once it is quiet.",
        "Le fichier a changé pendant sa lecture ; il sera repris quand il ne changera plus.",
    ),
    ReasonCode.DISK_FULL: (
        "The disk of the server is full; free some space, and it goes on by itself.",
        "Le disque du serveur est plein ; libérez de la place, la reprise est automatique.",
    ),
    ReasonCode.STORE_UNAVAILABLE: (
        "The slide store does not answer; it is tried again by itself.",
        "Le stockage des lames ne répond pas ; une nouvelle tentative aura lieu d'elle-même.",
    ),
    ReasonCode.STORE_FULL: (
        "The slide store is full; give it more room, and it goes on by itself.",
        "Le stockage des lames est plein ; agrandissez-le, la reprise est automatique.",
    ),
    ReasonCode.STORE_REFUSED: (
        "The slide store refuses our credentials; correct them, and it goes on by itself.",
        "Le stockage refuse nos identifiants ; corrigez-les, la reprise est automatique.",
    ),
    ReasonCode.STORE_MISSING: (
        "The slide store has no bucket of the name that is set; make it, and it goes on by itself.",
        "Le stockage n'a pas de bucket du nom choisi ; créez-le, la reprise est automatique.",
    ),
    ReasonCode.INTERRUPTED: (
        "The server was stopped meanwhile; it goes on by itself.",
        "Le serveur a été arrêté entre-temps ; la reprise est automatique.",
    ),
    ReasonCode.NOT_VERIFIED: (
        "What the store gave back is not what was written; check the store, then retry.",
        "Le stockage n'a pas rendu ce qui avait été écrit ; contrôlez-le, puis réessayez.",
    ),
    ReasonCode.INTERNAL: (
        "Something unexpected stopped this file; retry, and report it if it happens again.",
        "Un imprévu a arrêté ce fichier ; réessayez, et signalez-le s'il se reproduit.",
    ),
}


def sentence(reason: Reason, language: Language) -> str:
    """What to tell a person: the finding itself where there is one, and words for it."""
    english, french = _SENTENCES[reason.code]
    found = reason.detail if reason.code is not ReasonCode.ALREADY_A_SLIDE else None
    if language is Language.FRENCH:
        translated = in_french(found) if found else None
        return translated or french.replace(" ;", "\u202f;")
    return found or english
