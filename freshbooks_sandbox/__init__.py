"""A faithful stand-in of the FreshBooks API, over real HTTP, for development, tests and shows.

It is a reading of the API of its own and knows nothing of the tap that it is shipped with.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from freshbooks_sandbox.server import Sandbox, SandboxError

__all__ = ["Sandbox", "SandboxError"]


def __getattr__(name: str) -> Any:
    """Import the server at its first use: without the extra there is a sentence to say.

    Raises:
        ImportError: When packages of the extra are missing.
    """
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f"{__name__}.server"), name)
    except ModuleNotFoundError as error:
        raise ImportError(missing_extra(error)) from error


def missing_extra(error: ModuleNotFoundError) -> str:
    """The sentence for a user whose installation lacks packages of the sandbox.

    Raises:
        ModuleNotFoundError: Where the missing module is one of ours, which is a defect.
    """
    if (error.name or "").startswith(__name__):
        raise error
    return (
        f"The sandbox needs more packages (missing: {error.name}); "
        "install them with: pip install 'tap-freshbooks[sandbox]'"
    )
