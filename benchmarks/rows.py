"""Rows of a benchmark, one for each seed: with progress, and kept in a file from which a run goes on.

The file has one JSON object a line, the first of which says what the rows are of: the benchmark, its settings, and the
code that was measured. Rows of other settings or other code are not mixed with new ones.
"""

from __future__ import annotations

import hashlib
import json
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

import analysis

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Row = dict[str, Any]


def rows_of(
    evaluate: Callable[..., Row], seeds: Iterable[int], file: Path | None, unit: str, **settings: Any
) -> list[Row]:
    """Evaluate every seed that the file does not have yet, in all processors, and give the rows in order of the seeds.

    Raises
    ------
    SystemExit
        If the file has rows of other settings or of other code.
    """
    head = {"benchmark": Path(sys.modules[evaluate.__module__].__file__ or "").name, **settings, "code": code()}
    rows = _read(file, head) if file is not None else {}
    wanted = list(seeds)
    left = [seed for seed in wanted if seed not in rows]
    done = len(wanted) - len(left)
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        tasks = [pool.submit(partial(evaluate, **settings), seed) for seed in left]
        try:
            for task in tqdm(as_completed(tasks), total=len(wanted), initial=done, unit=unit, file=sys.stderr):
                row = task.result()
                rows[row["seed"]] = row
                if file is not None:
                    with file.open("a", encoding="utf-8") as out:
                        out.write(json.dumps(row) + "\n")
        finally:
            pool.shutdown(cancel_futures=True)
    return [rows[seed] for seed in wanted]


def code() -> str:
    """Identify the code that is measured: every module of the package, its prior, and the benchmarks."""
    digest = hashlib.sha256()
    for root in (Path(analysis.__file__).parent, Path(__file__).parent):
        for path in sorted(path for path in root.rglob("*") if path.suffix in {".py", ".json"}):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()} {len(content)} ".encode() + content)
    return digest.hexdigest()[:16]


def _read(file: Path, head: Row) -> dict[int, Row]:
    """Read the rows of a file, which is begun if it is not there; a line that was cut off is evaluated again."""
    if not file.exists() or file.stat().st_size == 0:
        file.write_text(json.dumps(head) + "\n", encoding="utf-8")
        return {}
    text = file.read_text(encoding="utf-8")
    whole = text[: text.rfind("\n") + 1]
    if whole != text:
        file.write_text(whole, encoding="utf-8")
    first, *lines = whole.splitlines() or ["{}"]
    there = json.loads(first)
    if there != head:
        other = [name for name in {**there, **head} if there.get(name) != head.get(name)]
        said = ", ".join(f"{name} {there.get(name)} there and {head.get(name)} here" for name in other)
        raise SystemExit(f"{file}: its rows are of something else: {said}; name another file, or remove this one")
    return {row["seed"]: row for row in map(json.loads, lines)}
