"""What people call the parts of statements."""

from sgi.domain.words import Language


def label(part: str, language: Language) -> str:
    """What people call a part."""
    french, english = _LABELS.get(part, (part, part))
    return french if language is Language.FRENCH else english


_LABELS = {
    "accession_number": ("numéro du cas", "case number"),
    "asset": ("lame", "slide"),
    "birth_date": ("né(e) le", "born"),
    "birth_place": ("lieu de naissance", "birth place"),
    "clinical_information": ("renseignements cliniques", "clinical information"),
    "code": ("code de réponse", "answer's code"),
    "collected_at": ("prélevé le", "collected"),
    "collection": ("mode de prélèvement", "collection"),
    "comment": ("commentaire", "comment"),
    "content": ("contenu", "content"),
    "control_id": ("message d'origine", "our message"),
    "description": ("description", "description"),
    "document_id": ("identifiant du document", "document's id"),
    "embedding": ("inclusion", "embedding"),
    "extemporane": ("extemporané", "frozen section"),
    "filler_number": ("numéro du laboratoire", "filler's number"),
    "fixative": ("fixateur", "fixative"),
    "gone": ("identifiant abandonné", "retired identifier"),
    "identifier": ("identifiant", "identifier"),
    "identifiers": ("identifiants", "identifiers"),
    "kind": ("nature", "kind"),
    "laterality": ("côté", "side"),
    "linked": ("reliés", "linked"),
    "names": ("nom et prénoms", "names"),
    "one": ("patient", "patient"),
    "order_control": ("réponse à l'ordre", "answer to the order"),
    "other": ("autre patient", "other patient"),
    "parent": ("provient de", "comes from"),
    "pathologist": ("pathologiste", "pathologist"),
    "pathologist_name": ("nom du pathologiste", "pathologist's name"),
    "patient": ("patient", "patient"),
    "placer_number": ("numéro du demandeur", "placer's number"),
    "priority": ("priorité", "priority"),
    "received_at": ("reçu le", "received"),
    "replaces": ("remplace", "replaces"),
    "service": ("examen", "service"),
    "sex": ("sexe", "sex"),
    "site": ("organe", "site"),
    "specimen_type": ("type", "type"),
    "stains": ("coloration", "stain"),
    "state": ("état", "state"),
    "status": ("statut", "status"),
    "technique": ("technique", "technique"),
    "temporary_id": ("identifiant provisoire", "temporary id"),
    "title": ("titre", "title"),
    "to_be_scanned": ("à numériser", "to be scanned"),
    "used_names": ("nom utilisé", "used names"),
    "visit_number": ("numéro de séjour", "visit number"),
    "words": ("motif", "reason"),
}
