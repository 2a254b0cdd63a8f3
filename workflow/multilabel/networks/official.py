"""The ImageNet weights that Keras has of its networks: it knows addresses and checksums, and is asked."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import keras
from keras.src.applications import efficientnet
from keras.src.utils import file_utils

from multilabel.datasets.published import RemoteFile
from multilabel.networks import applications


def remote_file(network: str, *, options: Mapping[str, Any], input_size: int, top: bool = False) -> RemoteFile:
    """The file that Keras itself would fetch for a network; nothing is fetched.

    Args:
        network: of `keras.applications`, in any case.
        options: further arguments of it.
        input_size: height and width of the images: MobileNet has weights for several.
        top: with the classifier.

    Raises:
        ValueError: there is no such network, or Keras has no weights for these options; the message names both.
    """
    constructor = applications.constructor(network)
    size = (input_size, input_size, 3)
    reasons = []
    for shape in (size, None) if top else (size,):  # some classifiers come for one size only, and work with others
        try:
            with _fetching(_noted):
                constructor(include_top=top, weights="imagenet", input_shape=shape, **options)
        except _Noted as noted:
            return noted.file
        except (ValueError, KeyError) as error:
            reasons.append(str(error))
    chosen = ", ".join(f"{key}: {value}" for key, value in options.items()) or "none"
    raise ValueError(
        f"base.weights is official, and Keras has no ImageNet weights of {network} with the options {chosen}: "
        f"{reasons[-1] if reasons else 'it asks for none'}. Choose other options, random, or the path of a weights file"
    )


def changes(network: str, weights: str | Path) -> bool:
    """Whether Keras builds a network in another way where it gets a file of its own ImageNet weights.

    So it does with EfficientNetB0 to B7: their weights want the images divided by another deviation.
    """
    hashes = efficientnet.WEIGHTS_HASHES.get(network.lower().removeprefix("efficientnet"), ())
    if not hashes or not Path(weights).is_file():
        return False
    with Path(weights).open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.md5(usedforsecurity=False)).hexdigest() in hashes


def built(network: str, weights: str | Path, *, options: Mapping[str, Any], input_size: int, top: bool) -> keras.Model:
    """A network as Keras itself builds and loads it with its ImageNet weights, from a file that is here already."""
    with _fetching(lambda *_, **__: str(weights)):
        return applications.constructor(network)(
            include_top=top, weights="imagenet", input_shape=(input_size, input_size, 3), **options
        )


class _Noted(Exception):  # noqa: N818 - it carries what was looked for
    def __init__(self, file: RemoteFile) -> None:
        self.file = file
        super().__init__(file.name)


def _noted(name: str, origin: str, *, file_hash: str | None = None, **_: Any) -> str:
    """In the place of Keras' own function that fetches: says what it is asked for."""
    checksum = {"sha256" if len(file_hash) == 64 else "md5": file_hash} if file_hash else {}
    raise _Noted(RemoteFile(name, origin, None, **checksum))


@contextmanager
def _fetching(function: Any) -> Iterator[None]:
    """Let Keras fetch files by another function."""
    own = file_utils.get_file
    file_utils.get_file = function
    try:
        yield
    finally:
        file_utils.get_file = own
