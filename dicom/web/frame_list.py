"""The list of frames in an address (PS3.18 10.4.1.1.4): numbers from 1 with commas between."""

import re

from dicom.web.errors import BadQueryError, TooMuchAskedError

MOST_FRAMES = 1000
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST = 10 * MOST_FRAMES


def parse_frame_list(text: str) -> list[int]:
    """Frame indexes from 0, in the order of the list; a frame may be there twice.

    Raises BadQueryError for what is no such list, TooMuchAskedError for a longer one than is sent.
    """
    if len(text) > _LONGEST:
        raise TooMuchAskedError("The list of frames is longer than any that is sent.")
    numbers = text.split(",")
    if not all(map(_NUMBER.fullmatch, numbers)) or "0" in {
        each.lstrip("0") or "0" for each in numbers
    }:
        raise BadQueryError("Frames are named by numbers from 1, with commas between.")
    if len(numbers) > MOST_FRAMES:
        raise TooMuchAskedError(f"More than {MOST_FRAMES} frames are asked for at once.")
    return [int(number) - 1 for number in numbers]
