"""Kernels that only other kernels call: compiled with them, and never by themselves.

Numba finishes each function by itself: it optimises it, writes its machine code, wraps it for Python and keeps it on
disk, and then does all of this again in every function that calls it, and in every caller of those. A kernel that is
``inner`` is lowered and no more; the kernel that Python calls is optimised once, with all that it is made of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NativeLowering

if TYPE_CHECKING:
    from collections.abc import Callable

    from numba.core.compiler_machinery import PassManager

Function = TypeVar("Function", bound="Callable[..., Any]")


def inner(function: Function) -> Function:
    """Make a kernel of a function that only kernels call, neither the package nor its tests."""
    bare = {"nopython": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return cast("Function", Inner(function, targetoptions=bare, pipeline_class=_Lowered))


class Inner(CPUDispatcher):
    """What only kernels can call."""

    def __call__(self, *_: Any, **__: Any) -> Any:
        """Refuse a call from Python: there is no code that it could run."""
        raise TypeError(f"{self.py_func.__qualname__} is inner to other kernels; @njit makes one that Python can call")

    def add_overload(self, result: Any) -> None:
        """Keep it for the kernels that call it; there is nothing that Python could call."""
        self.overloads[tuple(result.signature.args)] = result


class _Unfinished(JITCodeLibrary):
    """Code that is only linked into other code: neither optimised nor given to the machine."""

    def add_llvm_module(self, module: Any) -> None:
        module.data_layout = self._codegen._data_layout
        self._final_module.link_in(module)

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerOnly(NativeLowering):
    """Numba's own lowering, into a library that stays unfinished."""

    _name = "lower_only"

    def run_pass(self, state: Any) -> bool:
        state.library = _Unfinished(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)  # type: ignore[no-untyped-call]  # Numba has no types
        lowered, known_as = state["cr"], object()
        state.targetctx.insert_user_function(known_as, lowered.fndesc, [state.library])
        state["cr"] = lowered._replace(cfunc=known_as)
        return True


class _Lowered(CompilerBase):
    """Numba's passes with that lowering in the place of its own."""

    def define_pipelines(self) -> list[PassManager]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [(_LowerOnly if one is NativeLowering else one, why) for one, why in passes.passes]
        passes.finalize()
        return [passes]
