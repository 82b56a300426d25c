"""The page's examples run."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "endpoints.md"


def test_examples_of_the_page_run(capsys):
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, str(PAGE), "exec"), {})
    assert "overall: PD by RECIST 1.1, iUPD by iRECIST (target progression)" in capsys.readouterr().out
