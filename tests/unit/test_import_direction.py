"""Imports run one way through the rooms, and the top level stays light."""

import ast
import subprocess
import sys
from pathlib import Path

import analysis

PACKAGE = Path(analysis.__file__).parent

MAY_IMPORT = {
    "errors": set(),
    "survival": {"errors"},
    "reported": {"survival", "errors"},
    "reconstruction": {"reported", "survival", "errors"},
    "design": {"survival", "errors"},
    "endpoints": {"design", "survival", "errors"},
    "simulation": {"endpoints", "design", "survival", "errors"},
    "power": {"simulation", "design", "survival", "errors"},
    "studies": {"power", "simulation", "endpoints", "design", "reconstruction", "reported", "survival", "errors"},
    "plots": {"power", "simulation", "endpoints", "design", "reconstruction", "reported", "survival", "errors"},
}
AT_THE_TOP = {"cli", "figures", "__init__", "__main__"}


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


def test_every_room_has_its_place_in_the_order():
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert rooms == set(MAY_IMPORT) | (AT_THE_TOP & rooms)


def test_imports_run_one_way():
    wrong = []
    for path in sorted(PACKAGE.rglob("*.py")):
        room = room_of(path)
        if room in AT_THE_TOP:
            continue
        wrong += [
            f"{path.relative_to(PACKAGE)} imports {other}"
            for other in sorted(rooms_imported_by(path) - MAY_IMPORT[room] - {room})
        ]
    assert wrong == []


def test_the_order_has_no_cycle():
    for room, others in MAY_IMPORT.items():
        for other in others:
            assert room not in MAY_IMPORT[other]


def test_importing_the_package_loads_no_heavy_library():
    heavy = ["numpy", "scipy", "pandas", "numba", "matplotlib", "pydantic", "lifelines"]
    code = f"import sys, analysis; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=PACKAGE.parent)
    assert done.stdout.strip() == "[]"


def test_every_public_name_of_the_top_level_resolves():
    for name in analysis.__all__:
        assert getattr(analysis, name) is not None
