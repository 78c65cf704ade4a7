"""Decodes compressed frames in a process of its own; started by :mod:`dashboard.ingest.decoding`, never imported.

Decoders are C libraries: on damaged data one aborts, another prints a complaint and returns grey. Here an abort costs
one frame, and a complaint, which the parent finds on standard error, refuses the frame.

A request is one line of JSON (the frame's length, the plugin, the description of the pixels) and the frame; an answer
is one line of JSON and the pixels.
"""

import json
import os
import resource
import sys
import warnings
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

# Far above what the largest allowed frame needs; a decoder that wants more is being led astray.
MOST_MEMORY = 8 * 1024**3


def decode(frame: bytes, syntax: str, plugin: str, options: dict[str, Any]) -> npt.NDArray[np.generic]:
    """Stored values of one frame by one of pydicom's plugins."""
    data = encapsulate([frame], has_bot=False)
    pixels, _ = get_decoder(UID(syntax)).as_array(data, index=0, raw=True, decoding_plugin=plugin, **options)
    return pixels


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until there are no more."""
    while line := requests.readline():
        order = json.loads(line)
        frame = requests.read(order["length"])
        try:
            pixels = np.ascontiguousarray(decode(frame, order["syntax"], order["plugin"], order["options"]))
            answer = {"length": pixels.nbytes, "shape": pixels.shape, "dtype": pixels.dtype.str}
            data = pixels.tobytes()
        except Exception as error:  # noqa: BLE001 - decoders raise whatever a damaged stream provokes
            answer, data = {"length": 0, "error": type(error).__name__}, b""
        answers.write(json.dumps(answer).encode() + b"\n" + data)
        answers.flush()


def main() -> None:
    """Serve on standard input and output; whatever a library prints goes to standard error."""
    # A core file of this process would hold a patient's pixels.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    # A decoder that fills up what is missing warns; that is an error here.
    warnings.simplefilter("error")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, answers)


if __name__ == "__main__":
    main()
