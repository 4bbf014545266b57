"""Opens the token store of a configuration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from platformdirs import user_state_path

from tap_freshbooks.errors import SettingsError
from tap_freshbooks.oauth.stores.encryption import Encryption
from tap_freshbooks.oauth.stores.file import FileStore
from tap_freshbooks.oauth.tokens import hash_of
from tap_freshbooks.storage.paths import absolute_path

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_freshbooks.oauth.stores.base import TokenStore


def open_store(
    config: Mapping[str, Any], token_file: Path | None, environ: Mapping[str, str]
) -> TokenStore:
    """Open the token store of a configuration.

    `token_store`, else below Meltano's system directory (Meltano deletes its `--config`
    file after each run), else the one `--config` file that holds the refresh token, else
    the user's state directory.

    Args:
        config: The settings.
        token_file: The one `--config` file that holds the refresh token, if there is one.
        environ: The environment.

    Raises:
        SettingsError: If `token_store` is neither a path nor a database that can be used, or
            if there is neither one nor a home.
    """
    encryption = Encryption(config.get("token_encryption_key"))
    connection = str(config.get("connection") or "default")
    if location := config.get("token_store"):
        if "://" in location:
            from tap_freshbooks.oauth.stores.sql import SqlStore  # noqa: PLC0415 - slow to import

            return SqlStore(location, str(config.get("client_id")), connection, encryption)
        path = _own_file(location, connection)
        holds_seed = token_file is not None and token_file.resolve() == path
        return FileStore(path, encryption, holds_seed=holds_seed)
    if root := environ.get("MELTANO_PROJECT_ROOT"):
        system = Path(root, environ.get("MELTANO_SYS_DIR_ROOT") or ".meltano")
        # Plugins that inherit from another, for a second FreshBooks user say, have own tokens.
        plugin = quote(environ.get("MELTANO_EXTRACTOR_NAME") or "tap-freshbooks", safe="")
        return FileStore(system / plugin / _file_name(config, connection), encryption)
    if token_file is not None:
        return FileStore(token_file, encryption, holds_seed=True)
    return FileStore(_state_folder() / _file_name(config, connection), encryption)


def _state_folder() -> Path:
    try:
        return user_state_path("tap-freshbooks").expanduser()
    except RuntimeError:
        raise SettingsError(
            "there is no home directory in which the tokens could be kept: set token_store to a "
            "file or a database"
        ) from None


def _own_file(location: str, connection: str) -> Path:
    if connection != "default":
        # Each would take the tokens of the other for those of a user who has authorised anew.
        raise SettingsError(
            "a file of token_store holds one connection: leave out either token_store or "
            "connection, or give each connection a file of its own and leave out connection, "
            "or name a database: sqlite:///tokens.db holds any number"
        )
    return absolute_path(location, "token_store")


def _file_name(config: Mapping[str, Any], connection: str) -> str:
    """One file per app and connection: two of them must never share a token."""
    return f"{quote(connection, safe='')}-{hash_of(str(config.get('client_id')))[:12]}.json"
