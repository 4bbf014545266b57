"""Exceptions that say what went wrong, and what to do about it.

Each error carries one sentence for the user and the exit status of the command.
`transport/response_errors.py` makes them of FreshBooks' responses.

How far an error reaches is a matter of its class. A `FreshBooksError` is about the answer to one
request: in a sync it costs the stream of the business that asked, and so does whatever is no
`TapError`, as only foreign input is unforeseen. Every other `TapError` concerns more than that
(the account, the token store, the settings, the target, FreshBooks as a whole): it ends the run.
"""

from __future__ import annotations

import copy
import signal
import sys
import traceback
from enum import IntEnum
from pathlib import Path
from typing import Self

from typing_extensions import override

from tap_freshbooks.printable import printable


class ExitStatus(IntEnum):
    """Exit statuses of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    REAUTHORIZE = 3


MEANINGS = {
    ExitStatus.DONE: "done",
    ExitStatus.FAILED: "failed",
    ExitStatus.USAGE: "wrong usage or settings",
    ExitStatus.REAUTHORIZE: "the account must be authorised again",
}
"""Exit statuses in words."""


def meaning_of(status: int) -> str:
    """An exit status in words."""
    return MEANINGS[ExitStatus(status)] if status in MEANINGS else "interrupted"


class TapError(Exception):
    """A failure that a user can read: the message is a sentence, no traceback is needed."""

    exit_status = ExitStatus.FAILED

    ends_run = True
    """Whether it concerns more than the stream of the business that was read."""

    @override
    def __str__(self) -> str:
        """The sentence: whatever it quotes, it is one line, and nothing but characters."""
        return printable(super().__str__())


def ends_run(error: Exception) -> bool:
    """Whether an error ends a sync, instead of one stream of one business."""
    return isinstance(error, TapError) and error.ends_run


def sentence_of(error: Exception) -> str:
    """What to tell the user of an error.

    The text of an unforeseen one could quote a secret, so only its kind and place are told.
    """
    if isinstance(error, TapError):
        return str(error)
    if isinstance(error, MemoryError):
        return "this machine, or its limit for a process, has not enough memory"
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "tap_freshbooks" in frame.filename] or frames
    place = f" in {Path(ours[-1].filename).name}, line {ours[-1].lineno}" if ours else ""
    return f"unexpected {type(error).__name__}{place}; please report this"


class SettingsError(TapError):
    """A setting, file or option is missing or wrong."""

    exit_status = ExitStatus.USAGE


class OtherUserError(SettingsError):
    """The tokens are of another FreshBooks user than the one whose connection it is."""


def ending_of(error: BaseException) -> tuple[int, str]:
    """The exit status of a command that ends with an error, and the sentence about it."""
    if isinstance(error, RunInterruptedError):
        flushed = "; the state so far is written" if error.has_state else ""
        return error.exit_status, f"interrupted{flushed}"
    if isinstance(error, TapError):
        return error.exit_status, str(error)
    if not isinstance(error, Exception):  # KeyboardInterrupt, say
        return RunInterruptedError(signal.SIGINT).exit_status, "interrupted"
    if _is_wrong_setting(error):
        return ExitStatus.USAGE, f"wrong settings: {error}"
    return ExitStatus.FAILED, sentence_of(error)


def _is_wrong_setting(error: Exception) -> bool:
    """The SDK's own errors of stream_maps and batch_config; no SDK, no such error."""
    sdk = sys.modules.get("singer_sdk.exceptions")
    return sdk is not None and isinstance(error, (sdk.ConfigurationError, sdk.MappingError))


def missing_extra_error(error: ModuleNotFoundError, command: str, extra: str) -> Exception:
    """The error to raise where a module of a command is missing.

    Args:
        error: What the import raised.
        command: The command, as it is typed after the program's name.
        extra: The extra of the distribution that brings its packages.
    """
    if (error.name or "").startswith("tap_freshbooks"):
        return error
    return SettingsError(
        f"`tap-freshbooks {command}` needs more packages (missing: {error.name}); "
        f"install them with: pip install 'tap-freshbooks[{extra}]'"
    )


class StreamMapError(TapError):
    """An expression of a stream map fails for some rows."""

    ends_run = False


class BatchFileError(TapError):
    """A file of `batch_config` cannot be written."""


class ReauthorizationRequiredError(TapError):
    """FreshBooks no longer accepts the connection; only a new authorisation helps."""

    exit_status = ExitStatus.REAUTHORIZE


class TokenStoreError(TapError):
    """The token store cannot be read, locked or written."""


class RefreshFailedError(TapError):
    """The token endpoint gave no usable answer, after all attempts that are harmless.

    Not a `TransientError`: the client must not repeat it with each of its own attempts.
    """


class MachineLimitError(TapError):
    """The machine lacks what nothing can be read without."""


class OutputClosedError(TapError):
    """Standard output is closed: the target reads no messages any more."""


class ConnectionFailedError(TapError):
    """FreshBooks as a whole does not answer, or does not say who we are: nothing can be read."""


class StreamsFailedError(TapError):
    """A sync came to its end, and what it had to read of some streams could not be read."""


class FreshBooksError(TapError):
    """FreshBooks answered a request with an error, with something else than we know, or not at all.

    Attributes:
        hint: What to do about it.
        vendor_message: What FreshBooks said, without the subject and the hint.
    """

    ends_run = False
    hint = "please report this"

    def __init__(self, message: str, *, vendor_message: str = "") -> None:
        super().__init__(message)
        self.vendor_message = vendor_message or message

    def restated(self, message: str, *, vendor_message: str = "") -> Self:
        """The same error with another sentence; `vendor_message` stays, unless one is given."""
        other = copy.copy(self)
        other.args = (message,)
        other.vendor_message = vendor_message or self.vendor_message
        return other


class PermissionDeniedError(FreshBooksError):
    """The token, role or plan may not read this; other streams and businesses may go on.

    Raised for 403, for 401 and 200 with errno 1003 or 12001
    (`docs/freshbooks-api/accounting.md §8`). A refresh never answers it.
    """

    hint = "the token's scopes, the user's role or the plan do not allow it"


class MissingScopeError(PermissionDeniedError):
    """The token lacks scopes, and FreshBooks says which (`docs/freshbooks-api/auth.md §7`).

    Attributes:
        scopes: What it lacks.
    """

    def __init__(
        self, message: str, *, vendor_message: str = "", scopes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message, vendor_message=vendor_message)
        self.scopes = scopes
        self.hint = (
            f"the token lacks {' and '.join(scopes)}: enable that in the app, in the developer "
            "portal of FreshBooks, then connect again with `tap-freshbooks login`"
        )


class NotFoundError(FreshBooksError):
    """404: the path names an account, business or record that FreshBooks does not know."""

    hint = (
        "FreshBooks does not know an identifier of this path: was the business closed? "
        "business_ids can leave it out; otherwise please report this"
    )


class BadRequestError(FreshBooksError):
    """Any other 4xx: the request itself is at fault, so sending it again is pointless."""

    hint = "the request is at fault, so running again does not help; please report this"


class InvalidTokenError(FreshBooksError):
    """401: the access token is expired, revoked or unknown."""


class AmbiguousUnauthorizedError(FreshBooksError):
    """401 in the wording of both an invalid token and a missing permission.

    Older inner services answer so (`docs/freshbooks-api/errors-and-limits.md §1`); only a second
    request, with the same token, shows which of the two it is.
    """


class AnswerTooLargeError(FreshBooksError):
    """An answer beyond `max_response_size`; the rest of it was not received."""

    hint = "the setting max_response_size allows more"


class TransientError(FreshBooksError):
    """429, 5xx, a time-out, a cut or truncated response: a retry may help.

    Attributes:
        retry_after: Seconds to wait, by the server's word, or None.
        sent: Whether the request may have reached the server.
        throttled: Whether it was a 429.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        sent: bool = True,
        throttled: bool = False,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.sent = sent
        self.throttled = throttled


class GatewayError(TransientError):
    """A proxy, firewall or gateway answered instead: that is no refusal, and no word on tokens.

    It says as little of what was asked as a time-out does, so it is tried again like one.
    """


class RunInterruptedError(BaseException):
    """SIGINT, SIGTERM or SIGHUP arrived. Not an `Exception`, so that nothing swallows it.

    Attributes:
        exit_status: 128 + the number of the signal.
        has_state: Whether the state of a sync was written.
    """

    def __init__(self, signum: int, *, has_state: bool = False) -> None:
        super().__init__(signum)
        self.exit_status = 128 + signum
        self.has_state = has_state


class RunCancelledError(BaseException):
    """The run is over, so the thread that gets this has nothing more to do.

    Not an `Exception`, so that no retry and no report takes it for a failure; the outermost
    function of a thread catches it, and logs nothing.
    """
