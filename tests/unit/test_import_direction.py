"""Imports run one way through the rooms, and the top level stays light."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import analysis

PACKAGE = Path(analysis.__file__).parent

ORDER = (
    ("errors", "version", "compiled", "compiling"),
    ("conventions",),
    ("survival", "proportions"),
    ("reported", "design"),
    ("engine", "expected"),
    ("statistical_tests",),
    ("records", "reconstruction"),
    ("safety", "quality_of_life"),
    ("endpoints",),
    ("sequential", "single_arm"),
    ("simulation",),
    ("power",),
    ("plots",),
    ("tables",),
    ("planning", "explorer"),
    ("figures",),
    ("studies",),
)
"""A room imports from rooms before its own; the rooms of a line do not know each other."""
AT_THE_TOP = {"cli", "__init__", "__main__"}


def rooms_imported_by(path: Path) -> set[str]:
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import; name the room in full"
            # `from analysis import design` imports a room as much as `from analysis.design import Accrual` does
            names = [f"analysis.{alias.name}" for alias in node.names] if node.module == "analysis" else [node.module]
        else:
            continue
        rooms |= {name.split(".")[1] for name in names if name.startswith("analysis.")}
    return rooms - {"__version__"}


def room_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def modules() -> dict[str, Path]:
    return {
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__"): path
        for path in PACKAGE.rglob("*.py")
    }


def imported_by(path: Path, known: dict[str, Path]) -> set[str]:
    """Modules of the package that a module imports, for types only or within a function as much as at its top."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name if name in known else node.module for name in names}
    return found & set(known)


def test_every_room_has_its_place_in_the_order():
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert rooms == {room for line in ORDER for room in line} | (AT_THE_TOP & rooms)


def test_imports_run_one_way():
    place = {room: number for number, line in enumerate(ORDER) for room in line}
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = room_of(path)
        if room not in AT_THE_TOP:
            later = {other for other in rooms_imported_by(path) - {room} if place[other] >= place[room]}
            wrong += [f"{path.relative_to(PACKAGE)} imports {other}" for other in sorted(later)]
    assert wrong == []


def test_no_module_is_on_a_circle():
    known = modules()
    left = {name: imported_by(path, known) - {name} for name, path in known.items()}
    while free := {name for name, others in left.items() if not others & set(left)}:
        left = {name: others for name, others in left.items() if name not in free}
    assert left == {}, f"these import each other, or wait for some that do: {sorted(left)}"


def test_every_public_name_is_in_one_room():
    homes: dict[str, list[str]] = {}
    for room in (room for line in ORDER for room in line):
        for name in getattr(import_module(f"analysis.{room}"), "__all__", []):
            homes.setdefault(name, []).append(room)
    assert {name: rooms for name, rooms in homes.items() if len(rooms) > 1} == {}


def test_power_has_at_most_fifty_public_names():
    rooms = [import_module(f"analysis.{room}") for room in ("power", "sequential", "single_arm")]
    assert sum(len(room.__all__) for room in rooms) <= 50


def test_importing_the_package_loads_no_heavy_library():
    heavy = ["numpy", "scipy", "pandas", "numba", "matplotlib", "pydantic", "lifelines"]
    code = f"import sys, analysis; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "[]"


def test_every_public_name_of_the_top_level_resolves():
    for name in analysis.__all__:
        assert getattr(analysis, name) is not None
