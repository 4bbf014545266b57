"""Files of the setting `batch_config`: whether they can be written, and what is told if not."""

from __future__ import annotations

from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from singer_sdk.exceptions import SingerSDKError

from tap_freshbooks.errors import BatchFileError, SettingsError, TapError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = "batch_config.storage.root"


@contextmanager
def files_of(config: Mapping[str, Any]) -> Iterator[None]:
    """Make sentences of what goes wrong with files inside the block, and before it.

    Raises:
        SettingsError: If no file can be written.
        BatchFileError: If one cannot be.
    """
    settings = config.get("batch_config")
    if not settings:
        yield
        return
    if settings["encoding"]["format"] == "parquet" and not find_spec("pyarrow"):
        raise SettingsError(
            "batch_config with the format parquet needs the package pyarrow: "
            "pip install 'singer-sdk[parquet]'"
        )
    try:
        _write_one(settings["storage"])
    except ValueError:
        raise SettingsError(
            f"{ROOT} cannot be written to: it is no place that is known here, or has characters "
            "that none can have"
        ) from None
    except Exception as error:  # noqa: BLE001 - file systems tell it in many ways
        raise SettingsError(f"{ROOT} cannot be written to: {_reason(error)}") from None
    try:
        yield
    except (TapError, SingerSDKError):
        raise
    except Exception as error:  # noqa: BLE001 - all else fails with the stream that is read
        raise BatchFileError(f"a file in {ROOT} cannot be written: {_reason(error)}") from None


def _write_one(storage: Mapping[str, Any]) -> None:
    """Write a file and remove it, where that costs nothing."""
    from upath import UPath  # noqa: PLC0415 - only who writes files needs it

    root = UPath(storage["root"], **storage.get("params") or {}).resolve()
    _ = root.fs  # its package may be missing
    if root.protocol in {"", "file", "local"}:
        root.mkdir(parents=True, exist_ok=True)
        file = root / f"{storage.get('prefix') or ''}tap-freshbooks.test"
        file.touch()
        file.unlink()


def _reason(error: Exception) -> str:
    """What went wrong; the text of an error could quote a key of the storage."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "there is a file where a folder should be"
    if isinstance(error, ImportError):
        return f"a package is missing ({error})"
    return type(error).__name__
