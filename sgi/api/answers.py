"""The one table from an error to its HTTP status and its sentences."""

from dataclasses import dataclass

from fastapi.exceptions import RequestValidationError
from psycopg import OperationalError
from psycopg_pool import PoolTimeout

import dicom.errors
import dicom.web.errors
import storage.errors
import tiling.errors
from sgi import errors
from sgi.domain.words import Language


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and sentences; the sentences never repeat what an exception said."""

    status: int
    english: str
    french: str

    def detail(self, language: Language) -> str:
        if language is Language.FRENCH:
            return self.french.replace(" ;", "\u202f;")
        return self.english


_DEFECT = Answer(
    500,
    "Something unexpected happened here; try again, and report it if it happens again.",
    "Un imprévu s'est produit ; réessayez, et signalez-le s'il se reproduit.",
)
_STORE_AWAY = Answer(
    503,
    "The slide store does not answer; try again in a moment.",
    "Le stockage des lames ne répond pas ; réessayez dans un instant.",
)
_DATABASE_AWAY = Answer(
    503,
    "The catalogue does not answer; try again in a moment.",
    "Le catalogue ne répond pas ; réessayez dans un instant.",
)
_DAMAGED = Answer(
    500,
    "What is stored of this slide is damaged; report it, so that it is verified.",
    "Les données stockées de cette lame sont endommagées ; signalez-le pour vérification.",
)
NOT_FOUND = Answer(404, "There is no such thing here.", "Cet élément n'existe pas.")
INVALID = Answer(
    422,
    "The request is not understood; check its fields.",
    "La requête n'est pas comprise ; vérifiez ses champs.",
)

OTHER_METHOD = Answer(
    405,
    "This address does not answer to that method.",
    "Cette adresse ne répond pas à cette méthode.",
)

ANSWERS: dict[type[Exception], Answer] = {
    errors.SgiError: _DEFECT,
    errors.NotSignedInError: Answer(401, "Sign in first.", "Connectez-vous d'abord."),
    errors.WrongCredentialsError: Answer(
        401,
        "The name or the password is not right.",
        "Le nom ou le mot de passe est incorrect.",
    ),
    errors.ForbiddenError: Answer(
        403, "Your account may not do this.", "Votre compte n'a pas ce droit."
    ),
    errors.CrossSiteRequestError: Answer(
        403,
        "The request does not come from this application; reload the page.",
        "La requête ne vient pas de cette application ; rechargez la page.",
    ),
    errors.NotFoundError: NOT_FOUND,
    errors.UnknownCaseError: Answer(
        404,
        "This case is not known here, or not yet; try later, or check its number.",
        "Ce cas n'est pas connu ici, ou pas encore ; réessayez plus tard, ou vérifiez son numéro.",
    ),
    errors.UnknownPatientError: Answer(
        404,
        "This patient is not known here, or has no case here yet; try later.",
        "Ce patient n'est pas connu ici, ou n'y a pas encore de cas ; réessayez plus tard.",
    ),
    errors.InvalidRequestError: INVALID,
    errors.ConflictError: Answer(
        409,
        "This cannot be done in its present state; reload the page.",
        "Impossible dans l'état actuel ; rechargez la page.",
    ),
    errors.TakenError: Answer(
        409,
        "Another one has this name or number already; choose another.",
        "Ce nom ou ce numéro est déjà pris ; choisissez-en un autre.",
    ),
    errors.InUseError: Answer(
        409,
        "It is still in use; change what needs it, then try again.",
        "Cet élément sert encore ; changez ce qui en a besoin, puis réessayez.",
    ),
    errors.UnconfirmedError: Answer(
        409,
        "Confirm first what speaks against this.",
        "Confirmez d'abord ce qui s'y oppose.",
    ),
    errors.IncompleteCaseError: Answer(
        409,
        "The case is incomplete; give the reason why it is signed out (reason).",
        "Le cas est incomplet ; donnez le motif de sa validation (reason).",
    ),
    errors.IdentityConflictError: Answer(
        409,
        "This contradicts what is known of the patients; have the administration look at both.",
        "Cela contredit ce que l'on sait des patients ; faites vérifier les deux par le bureau des "
        "admissions.",
    ),
    errors.UnreadableDatamatrixError: Answer(
        422,
        "The barcode cannot be read as an INS datamatrix; scan it again.",
        "Le code-barres n'est pas lisible comme datamatrix INS ; scannez-le à nouveau.",
    ),
    errors.RetiredError: Answer(
        410,
        "What these instances said of the slide was corrected: they are others now; search again.",
        "Ce que ces instances disaient de la lame a été corrigé : d'autres les remplacent ; "
        "relancez la recherche.",
    ),
    errors.MistoldError: Answer(
        503,
        "It was said anew whose this slide is, and its instances do not say so yet; try again in "
        "a moment.",
        "Cette lame vient d'être attribuée à un autre patient, et ses instances ne le disent pas "
        "encore ; réessayez dans un instant.",
    ),
    errors.UncopiedError: Answer(
        409,
        "The slide has no second copy yet; try again in some minutes.",
        "La lame n'a pas encore de seconde copie ; réessayez dans quelques minutes.",
    ),
    errors.LaunchRequestError: Answer(
        400,
        "The request to show images is not understood; requestType is STUDY, with studyUID or "
        "accessionNumber, or PATIENT, with patientID.",
        "La demande d'affichage n'est pas comprise ; requestType vaut STUDY, avec studyUID ou "
        "accessionNumber, ou PATIENT, avec patientID.",
    ),
    errors.LaunchContradictionError: Answer(
        409,
        "What is asked for is of different cases or patients; open it from the worklist instead.",
        "La demande désigne des dossiers ou des patients différents ; ouvrez le dossier depuis la "
        "liste de travail.",
    ),
    errors.SpentLinkError: Answer(
        410,
        "This link was used before, or is too old; open the case again from where it was given.",
        "Ce lien a déjà servi ou a expiré ; rouvrez le dossier depuis l'application d'origine.",
    ),
    errors.ColdError: Answer(
        409,
        "This part of the slide is in cold storage; ask for it to be restored.",
        "Cette partie de la lame est en stockage froid ; demandez sa restauration.",
    ),
    errors.TooManyAttemptsError: Answer(
        429,
        "Too many failed sign-ins; wait a few minutes and try again.",
        "Trop d'échecs de connexion ; attendez quelques minutes et réessayez.",
    ),
    errors.VerificationError: _DAMAGED,
    errors.UnshowableError: Answer(
        502,
        "This part of the slide cannot be shown; its stored data are unharmed.",
        "Cette partie de la lame ne peut être affichée ; ses données stockées sont intactes.",
    ),
    errors.MalformedPictureError: Answer(
        400,
        "The picture's address is not understood; it ends in region, size, rotation and "
        "quality.format as the IIIF Image API 3.0 has them.",
        "L'adresse de l'image n'est pas comprise ; elle se termine par région, taille, rotation "
        "et qualité.format, selon l'API Image 3.0 de IIIF.",
    ),
    errors.EnlargedPictureError: Answer(
        501,
        "Pictures are not enlarged here; ask for at most the pixels that the slide has.",
        "Les images ne sont pas agrandies ici ; demandez au plus les pixels de la lame.",
    ),
    errors.BusyError: Answer(
        503,
        "More is being asked for than can be done at once; try again in a moment.",
        "Trop de demandes à la fois ; réessayez dans un instant.",
    ),
    errors.PictureTooLargeError: Answer(
        400,
        "The picture is too large; this region is given in at most {columns} x {rows} pixels.",
        "L'image est trop grande ; cette région est donnée en {columns} x {rows} pixels au plus.",
    ),
    **dict.fromkeys(
        (
            # Of jobs and commands: in a request, a defect.
            errors.ConfigurationError,
            errors.VanishedError,
            errors.UnreadableFileError,
            errors.ChangedError,
            errors.DiskFullError,
            errors.ConversionTimeoutError,
            errors.ConversionMemoryError,
            errors.ConversionCrashedError,
            errors.ConversionCancelledError,
            errors.StoppedError,
        ),
        _DEFECT,
    ),
    storage.errors.StorageError: _STORE_AWAY,
    storage.errors.InvalidKeyError: _DEFECT,
    storage.errors.ObjectNotFoundError: _DAMAGED,
    storage.errors.BucketNotFoundError: _STORE_AWAY,
    storage.errors.RangeError: _DAMAGED,
    storage.errors.ObjectTooLargeError: _DAMAGED,
    storage.errors.ObjectChangedError: _DAMAGED,
    storage.errors.CorruptObjectError: _DAMAGED,
    storage.errors.ObjectFrozenError: Answer(
        409,
        "This part of the slide lies in an archive that gives nothing back at once; ask an "
        "administrator.",
        "Cette partie de la lame est dans une archive qui ne rend rien aussitôt ; adressez-vous à "
        "un administrateur.",
    ),
    storage.errors.StoreUnavailableError: _STORE_AWAY,
    storage.errors.StoreFullError: _STORE_AWAY,
    storage.errors.StoreRefusedError: _STORE_AWAY,
    dicom.errors.DicomError: _DEFECT,
    dicom.errors.DamagedInstanceError: _DAMAGED,
    dicom.errors.UnsupportedInstanceError: _DAMAGED,
    dicom.errors.FrameMismatchError: _DEFECT,
    dicom.web.errors.BadQueryError: Answer(
        400,
        "A parameter of the request is not one that DICOMweb has here, or its value is none; "
        "correct it.",
        "Un paramètre de la requête n'est pas prévu par DICOMweb ici, ou sa valeur n'en est pas "
        "une ; corrigez-le.",
    ),
    dicom.web.errors.NotAcceptableError: Answer(
        406,
        "Nothing of what is accepted can be given; accept application/dicom+json for lists and "
        "metadata, and the stored transfer syntax (transfer-syntax=*) for images.",
        "Rien de ce qui est accepté ne peut être donné ; acceptez application/dicom+json pour les "
        "listes et métadonnées, et la syntaxe de transfert stockée (transfer-syntax=*) pour les "
        "images.",
    ),
    dicom.web.errors.TooMuchAskedError: Answer(
        413,
        "More is asked for than one answer holds; ask for it in several requests.",
        "La demande dépasse ce que contient une réponse ; répartissez-la sur plusieurs requêtes.",
    ),
    tiling.errors.TilingError: Answer(
        502,
        "This part of the slide cannot be shown; its scanner wrote it damaged.",
        "Cette partie de la lame ne peut être affichée ; le scanner l'a écrite endommagée.",
    ),
    OperationalError: _DATABASE_AWAY,
    PoolTimeout: _DATABASE_AWAY,
    RequestValidationError: INVALID,
}


def answer_to(error: Exception) -> Answer:
    """The row of the nearest class."""
    for kind in type(error).__mro__:
        if kind in ANSWERS:
            return ANSWERS[kind]
    return _DEFECT
