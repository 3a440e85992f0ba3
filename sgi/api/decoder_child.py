"""The process that unpacks frames for a server: confined, without files or credentials.

It takes jobs from its standard input and answers each on its standard output.
"""

import os
import pickle
import sys
import time

from sgi.api.decoder_pipe import JOB, Answer, encode_answer, encode_error
from sgi.confine import confine
from sgi.lifeline import end_with_parent
from sgi.priority import give_way

_NICE = 10
"""Sending what is there comes before unpacking more."""
_MEMORY_BYTES = 1 << 30


def main() -> None:
    """Answer jobs until there are no more."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # libraries may print
    end_with_parent()
    give_way(_NICE)
    confine(_MEMORY_BYTES, None)
    jobs = sys.stdin.buffer
    while len(head := jobs.read(JOB.size)) == JOB.size:
        (length,) = JOB.unpack(head)
        job, began = jobs.read(length), time.process_time()
        try:
            function, arguments = pickle.loads(job)  # noqa: S301 - of the server, which made it
            answer, payload = Answer.MADE, bytes(function(*arguments))
        except Exception as error:  # noqa: BLE001 - told, and raised where it was asked for
            answer, payload = Answer.FAILED, encode_error(error)
        answers.write(encode_answer(answer, time.process_time() - began, payload))
        answers.flush()


if __name__ == "__main__":
    main()
