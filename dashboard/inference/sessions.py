"""The one place where onnxruntime runs.

One thread inside a session and none that spins: on busy cores two spinning threads are slower than one. Speed comes
from two Python threads on one session instead; every slice is computed alone, so neither their number nor the size
of a batch changes a byte of the result.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from dashboard.errors import ModelError
from dashboard.inference.manifest import Contract, Manifest

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Image = npt.NDArray[np.float32]
Item = TypeVar("Item")
Result = TypeVar("Result")

INPUT_NAME = "slices"
DEFAULT_THREADS = 2
# Slices a call hands to the session at once; larger batches gain nothing and cost memory.
BATCH = 4


class Session:
    """One verified model, ready to run; safe to use from several threads."""

    def __init__(self, manifest: Manifest, content: bytes) -> None:
        self.manifest = manifest
        self._session = _open(manifest, content)
        _check_graph(manifest, self._session)

    def run(self, slices: Image) -> Mapping[str, Image]:
        """Outputs by name for float32 (N, channels, rows, columns), each with N first.

        Raises
        ------
        ModelError
            The model gave something that is not finite.
        """
        names = list(self.manifest.contract.outputs)
        chunks = [slices[k : k + BATCH] for k in range(0, len(slices), BATCH)]
        parts = [self._session.run(names, {INPUT_NAME: np.ascontiguousarray(chunk)}) for chunk in chunks]
        outputs = {name: np.concatenate([part[k] for part in parts]) for k, name in enumerate(names)}
        for name, values in outputs.items():
            if not np.isfinite(values).all():
                raise ModelError(f"Model {self.manifest.name}: output {name} is not finite; restore the model folder.")
        return outputs


def spread(work: Callable[[Item], Result], items: Iterable[Item], threads: int = DEFAULT_THREADS) -> list[Result]:
    """`work` on each item, in order, over a few Python threads; the first exception is raised."""
    if threads <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(threads, thread_name_prefix="inference") as pool:
        return list(pool.map(work, items))


def _open(manifest: Manifest, content: bytes) -> "InferenceSession":
    # From 1.29 on the Linux wheel reports to its maker by default; it looks for this once, when it is imported.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    # Imported here so that training can use the preprocessing without an inference runtime.
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 4
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001 - the runtime's own errors share no base class
        message = f"Model {manifest.name}: {manifest.path.name} cannot be loaded ({type(error).__name__})."
        raise ModelError(message) from None


def _check_graph(manifest: Manifest, session: "InferenceSession") -> None:
    contract = manifest.contract
    inputs = {node.name: node for node in session.get_inputs()}
    if list(inputs) != [INPUT_NAME]:
        raise ModelError(f"Model {contract.name}: inputs are {sorted(inputs)}, this software gives one, {INPUT_NAME}.")
    _check_node(contract, inputs[INPUT_NAME], contract.input_shape)
    outputs = {node.name: node for node in session.get_outputs()}
    for name, shape in contract.outputs.items():
        if name not in outputs:
            raise ModelError(f"Model {contract.name}: output {name} is missing.")
        _check_node(contract, outputs[name], shape)
    stated = session.get_modelmeta().custom_metadata_map
    for key, wanted in (("name", contract.name), ("version", manifest.version)):
        # A site that only recalibrates keeps the file and adds a mark to the version: 1.0.0+site.20260314.
        if stated.get(key, wanted).split("+")[0] != wanted.split("+")[0]:
            raise ModelError(
                f"Model {contract.name}: {key} in the file is {stated[key]!r}, in the manifest {wanted!r}."
            )


def _check_node(contract: Contract, node: "object", shape: tuple[int | None, ...]) -> None:
    name, kind, found = (getattr(node, key) for key in ("name", "type", "shape"))
    if kind != "tensor(float)":
        raise ModelError(f"Model {contract.name}: {name} is {kind}, this software needs tensor(float).")
    # A length that the contract leaves free has a name or nothing in the file, as the batch has.
    free = [
        None if length is None and not isinstance(given, int) else given
        for given, length in zip(found[1:], shape, strict=False)
    ]
    if len(found) != len(shape) + 1 or tuple(free) != shape or isinstance(found[0], int):
        raise ModelError(f"Model {contract.name}: {name} has shape {found}, this software needs ['N', {shape}].")
