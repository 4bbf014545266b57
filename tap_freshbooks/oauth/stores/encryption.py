"""Tokens at rest: encrypted with the keys of the settings, or as they are without any."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typing_extensions import override

from tap_freshbooks.errors import SettingsError

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

PREFIX = "fernet:"
"""The beginning of an encrypted token; the rest is a Fernet token."""


class Encryption:
    """Encrypts and decrypts tokens.

    Args:
        keys: Fernet keys, separated by commas: the first one encrypts, each of them decrypts, so
            that a key is rotated by putting the new one in front. None: tokens stay plain.

    Raises:
        SettingsError: If a key is not a Fernet key, or the extra is not installed.
    """

    def __init__(self, keys: str | None = None) -> None:
        named = [key.strip() for key in (keys or "").split(",") if key.strip()]
        self._fernet = _fernet(named) if (keys or "").strip() else None

    def encrypt(self, token: str) -> str:
        """The form in which a token is stored."""
        return PREFIX + self._fernet.encrypt(token.encode()).decode() if self._fernet else token

    def decrypt(self, stored: str, place: str) -> str:
        """A token from its stored form; one that was stored without a key is taken as it is.

        Args:
            stored: What `encrypt` made, with any of the keys or without one.
            place: Where it is stored, for messages.

        Raises:
            SettingsError: If no key fits; the tokens must not be overwritten then.
        """
        if not stored.startswith(PREFIX):
            return stored
        if self._fernet is None:
            raise SettingsError(
                f"the tokens in {place} are encrypted: set token_encryption_key to their key"
            )
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an extra

        try:
            return self._fernet.decrypt(stored.removeprefix(PREFIX)).decode()
        except InvalidToken:
            raise SettingsError(
                f"token_encryption_key does not fit the tokens in {place}, which were left as they "
                "are: set the key that they were encrypted with (several are separated by commas, "
                "the newest first)"
            ) from None


class AsStored(Encryption):
    """Leaves tokens in their stored form, for whoever only looks at the notes beside them."""

    @override
    def decrypt(self, stored: str, place: str) -> str:
        return stored


def _fernet(keys: list[str]) -> MultiFernet:
    try:
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise SettingsError(
            "the setting token_encryption_key needs more packages; install them with: "
            "pip install 'tap-freshbooks[encryption]'"
        ) from None
    try:
        return MultiFernet([Fernet(key) for key in keys])
    except ValueError:
        raise SettingsError(
            "token_encryption_key must be Fernet keys (32 bytes in URL-safe base64), separated "
            'by commas; make one with: python -c "from cryptography.fernet import Fernet; '
            'print(Fernet.generate_key().decode())"'
        ) from None
