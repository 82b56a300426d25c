"""Text in Rich Text Format."""

from __future__ import annotations


def escaped(text: str) -> str:
    """Escape what RTF reads as its own; other letters as UTF-16 units, whatever the code page."""
    out = []
    for letter in text:
        if letter in "\\{}":
            out.append(f"\\{letter}")
        elif ord(letter) < 128:
            out.append(letter)
        else:
            units = letter.encode("utf-16-le")
            out += [f"\\u{int.from_bytes(units[k : k + 2], 'little', signed=True)}?" for k in range(0, len(units), 2)]
    return "".join(out)
