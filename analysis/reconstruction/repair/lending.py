"""Arrays that compiled functions hand to each other without counting who holds them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba import types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable


Held = TypeVar("Held")


def _lent(context: Any, given: Any) -> tuple[Any, Callable[..., Any]]:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _uncounted(context, builder, signature.args[0], args[0])

    return given(given), generate


lent: Callable[[Held], Held] = cast("Any", intrinsic(_lent))
"""Give the same arrays, alone or in tuples, without a count of who holds them.

Numba counts each array that a function is given, up and down again, which takes longer than many a step of a search.
What is lent must be held by somebody else for as long as it is used: a function lends its own arguments, which its
caller holds until it returns, and never what it has made itself.
"""


def _uncounted(context: Any, builder: Any, kind: Any, given: Any) -> Any:
    if isinstance(kind, types.Array):
        array = context.make_array(kind)(context, builder, value=given)
        array.meminfo, array.parent = array.meminfo.type(None), array.parent.type(None)
        return array._getvalue()
    if isinstance(kind, types.BaseTuple):
        kinds: Any = kind
        parts = [_uncounted(context, builder, part, builder.extract_value(given, i)) for i, part in enumerate(kinds)]
        return context.make_tuple(builder, kind, parts)
    return given
