"""Decoding compressed frames at arm's length: a crash, a hang or a complaint of a decoder refuses one frame."""

import atexit
import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dashboard.errors import FileRefused
from dashboard.ingest.image_pixel import ImagePixel

PROGRAM = Path(__file__).with_name("decoder_process.py")
# A frame of ordinary size takes milliseconds, the largest about ten seconds on a busy core.
LONGEST_FRAME_S = 30.0
DAMAGED = "A compressed frame cannot be decoded ({}); it is damaged."


class DecoderProcess:
    """One child process that decodes frames one after the other."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        self._lost = False
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-P", str(PROGRAM)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._complaints,
        )

    def decode(self, frame: bytes, order: dict[str, Any]) -> npt.NDArray[np.generic]:
        """Decode one frame.

        Raises
        ------
        FileRefused
            The decoder fails, complains, takes too long or dies.
        """
        before = self._complaints.seek(0, os.SEEK_END)
        # Until this answer is complete, the next thing read could belong to this frame.
        self._lost = True
        answer, data = self._ask(frame, order)
        self._lost = False
        if "error" in answer:
            raise FileRefused(DAMAGED.format(answer["error"]))
        if self._complaints.seek(0, os.SEEK_END) > before:
            raise FileRefused(DAMAGED.format("the decoder found errors"))
        return np.frombuffer(data, answer["dtype"]).reshape(answer["shape"])

    def _ask(self, frame: bytes, order: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
        requests, answers = self._process.stdin, self._process.stdout
        assert requests is not None and answers is not None
        try:
            requests.write(json.dumps({**order, "length": len(frame)}).encode() + b"\n" + frame)
            requests.flush()
            if not self._answers_in_time():
                raise FileRefused(DAMAGED.format("the decoder takes too long"))
            answer = json.loads(answers.readline())
            data = answers.read(answer["length"])
        except (BrokenPipeError, json.JSONDecodeError):
            raise FileRefused(DAMAGED.format("the decoder stopped")) from None
        if len(data) != answer["length"]:
            raise FileRefused(DAMAGED.format("the decoder stopped"))
        return answer, data

    @property
    def alive(self) -> bool:
        """Whether it can take another frame."""
        return not self._lost and self._process.poll() is None and self.owner == os.getpid()

    def close(self) -> None:
        """End the process."""
        if self.owner != os.getpid():
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._complaints):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue

    def _answers_in_time(self) -> bool:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            return bool(selector.select(LONGEST_FRAME_S))


class _Bench:
    """The one decoder of this process, started when first needed and again after it died."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.process: DecoderProcess | None = None
        atexit.register(self.close)

    def decode(self, frame: bytes, order: dict[str, Any]) -> npt.NDArray[np.generic]:
        with self.lock:
            if self.process is None or not self.process.alive:
                self.close()
                self.process = DecoderProcess()
            return self.process.decode(frame, order)

    def close(self) -> None:
        if self.process is not None:
            self.process.close()
            self.process = None


_bench = _Bench()


def decode_with(plugin: str, frame: bytes, transfer_syntax_uid: str, image: ImagePixel) -> npt.NDArray[np.generic]:
    """Decode the codestream of one frame with one of pydicom's plugins: stored values, (rows, columns).

    Raises
    ------
    FileRefused
        The decoder cannot read it, complains, or returns something of another size.
    """
    options = {
        "rows": image.rows,
        "columns": image.columns,
        "number_of_frames": 1,
        "samples_per_pixel": image.samples_per_pixel,
        "photometric_interpretation": image.photometric_interpretation,
        "planar_configuration": image.planar_configuration,
        "pixel_keyword": "PixelData",
        "bits_allocated": image.bits_allocated,
        "bits_stored": image.bits_stored,
        "pixel_representation": image.pixel_representation,
    }
    order = {"plugin": plugin, "syntax": transfer_syntax_uid, "options": options}
    pixels = _bench.decode(frame, order)
    expected = (image.rows, image.columns) if image.samples_per_pixel == 1 else (image.rows, image.columns, 3)
    if pixels.shape != expected:
        raise FileRefused("A compressed frame decodes to another size than its header says.")
    return pixels
