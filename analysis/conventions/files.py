"""Values in a file and back: what `to_json` writes, with the arrays beside the words, bit for bit.

The file is NumPy's ``.npz``: one entry with the words and one for each kind of number, so that a reconstruction of a
thousand patients in hundreds of members opens in a second and nothing in it is ever executed.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.conventions.border import border
from analysis.conventions.serial import ARRAY, from_plain, to_plain
from analysis.conventions.whole import written_whole
from analysis.errors import InvalidValueError

if TYPE_CHECKING:
    from numpy.typing import NDArray

WORDS = "words"
NUMBERS = "fiub"  # kinds of NumPy's numbers that are kept apart from the words


@border
def to_file(thing: object, path: str | Path) -> Path:
    """Write a reconstruction, a design or another public value to a file, every number with every bit.

    Parameters
    ----------
    thing
        A public value of the package, a table (DataFrame), or a list, a mapping or a number.
    path
        Where to write. A file that is there is replaced, as a whole or not at all.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidValueError
        If the thing, or a part of it, is not a public value of the package, or the file cannot be written.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from analysis import reconstruct
    >>> from analysis.reported import ReportedArm, ReportedComparison
    >>> report = ReportedComparison("OS", [ReportedArm("drug", n=30, events=20, median="9.1")])
    >>> one = reconstruct(report, members=2, rng=1)
    >>> back = from_file(to_file(one, f"{mkdtemp()}/drug.npz"))
    >>> bool((back.time == one.time).all()), back.comparison == one.comparison
    (True, True)
    """
    store: dict[str, list[NDArray[Any]]] = {}
    sizes: dict[str, int] = {}

    def kept(array: NDArray[Any]) -> Any:
        if array.dtype.kind not in NUMBERS:
            return [to_plain(item, kept) for item in array.tolist()]
        entry = array.dtype.str[1:]
        start = sizes.get(entry, 0)
        store.setdefault(entry, []).append(np.ravel(array))
        sizes[entry] = start + array.size
        return {"kind": ARRAY, "of": entry, "start": start, "shape": list(array.shape)}

    words = json.dumps(to_plain(thing, kept), allow_nan=False)
    entries: dict[str, Any] = {name: np.concatenate(parts) for name, parts in store.items()}
    entries[WORDS] = np.frombuffer(words.encode(), dtype=np.uint8)
    with written_whole(path) as draft, draft.open("wb") as file:
        np.savez(file, **entries)
    return Path(path)


@border
def from_file(path: str | Path) -> Any:
    """Read back what `to_file` wrote; every value is checked again.

    Raises
    ------
    InvalidValueError
        If the file is missing, cut off or damaged, or a value in it is impossible.
    UnknownNameError
        If it has a value that this version of the package does not know.

    Examples
    --------
    >>> from tempfile import mkdtemp
    >>> from analysis.conventions import to_file
    >>> from analysis.survival import Weibull
    >>> from_file(to_file(Weibull(1.2, 10), f"{mkdtemp()}/curve.npz"))
    Weibull(shape=1.2, scale=10.0)
    """
    expected, remedy = "a whole file as to_file writes it", "write it again"
    try:
        with Path(path).open("rb") as file, np.load(file, allow_pickle=False) as stored:
            entries = {name: stored[name] for name in stored.files}
        plain = json.loads(entries.pop(WORDS).tobytes().decode())
    except (OSError, EOFError, KeyError, ValueError, AttributeError, TypeError, zipfile.BadZipFile) as error:
        raise InvalidValueError("path", str(path), expected, f"{remedy}: {error}") from error

    def array(found: dict[str, Any]) -> NDArray[Any]:
        entry, start, shape = entries.get(str(found.get("of"))), found.get("start"), tuple(found.get("shape", ()))
        size = int(np.prod(shape))
        if entry is None or not isinstance(start, int) or not 0 <= start <= start + size <= entry.size:
            raise InvalidValueError("path", str(path), expected, f"{remedy}: an array is missing")
        found_array: NDArray[Any] = entry[start : start + size].reshape(shape)
        return found_array

    return from_plain(plain, array)
