"""Whose files these are: several users may share a file, and root may work for one of them.

What is private here is readable for its owner, and for a group if whoever made it so wanted it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MODE = 0o600
"""Of files that hold secrets, unless they are shared with a group."""

NEW_FILE = os.O_CREAT | os.O_EXCL | os.O_WRONLY | getattr(os, "O_BINARY", 0)
"""How a file is opened that must not exist yet, not even as a link of another user."""

OTHERS, GROUP = 0o007, 0o060

UNSUPPORTED = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP})
"""What a file system says that lacks a function, such as `fsync` of folders."""


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, as far as they are missing, for their owner only.

    Raises:
        OSError: If that is not possible.
    """
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        _give_as_root(folder, folder.parent)


def make_private(path: Path) -> None:
    """Make a file that holds secrets, or close an existing one to others, before they get in.

    Raises:
        OSError: If it can be neither made nor found.
    """
    make_folder(path.parent)
    try:
        fd = os.open(path, NEW_FILE, MODE)
    except FileExistsError:
        # Not opened: to close a file of SQLite would end the locks that this process has on it.
        mode = path.lstat().st_mode
        if not stat.S_ISREG(mode):
            raise OSError("it is no regular file") from None
        with contextlib.suppress(PermissionError):  # it is another user's, who shares it
            if mode & OTHERS:
                path.chmod(MODE)
    else:
        _give_as_root(fd, path.parent)
        os.close(fd)


def make_lock_file(lock: Path, file: Path) -> None:
    """Make the file that is locked instead of another, for all users that may write that one.

    Raises:
        OSError: If it can neither be made nor used, or if its file system has no locks.
    """
    is_new = False
    try:
        fd = os.open(lock, NEW_FILE, MODE)
        is_new = True
    except FileExistsError:
        # Not what a link of another user leads to: root would give that away.
        fd = os.open(lock, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
    try:
        if is_new:
            inherit(fd, file)
        elif _is_ours(fd):
            with contextlib.suppress(OSError):
                inherit(fd, file)  # it is shared by now, say
        _check_locks(fd)
    except OSError:
        if is_new:
            lock.unlink()
        raise
    finally:
        os.close(fd)


def _is_ours(fd: int) -> bool:
    """Whether a file has one name, and is this user's, or any user's for root."""
    status = os.fstat(fd)
    if sys.platform == "win32" or status.st_nlink != 1 or not stat.S_ISREG(status.st_mode):
        return False
    return os.geteuid() in {0, status.st_uid}


def _check_locks(fd: int) -> None:
    """Where there are no locks, `filelock` would wait for an existing file to vanish."""
    if sys.platform == "win32":
        return
    import fcntl  # noqa: PLC0415 - not on Windows

    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno == errno.ENOSYS:
            raise


def inherit(fd: int, former: Path) -> None:
    """Give a new file the owner, group and rights of the one whose place it takes.

    Where there is none, what root makes belongs to the owner of the folder. A file that others
    could read is for its owner only from now on.

    Raises:
        OSError: If the owner of the former file could not read the new one.
    """
    if sys.platform == "win32":
        return
    try:
        before = former.stat()
    except FileNotFoundError:
        _give_as_root(fd, former.parent)
        return
    for owner in (before.st_uid, -1):
        with contextlib.suppress(OSError):
            os.fchown(fd, owner, before.st_gid)
            break
    _copy_attributes(former, fd)
    found = os.fstat(fd)
    mode = stat.S_IMODE(before.st_mode)
    keeps_group = not mode & OTHERS and found.st_gid == before.st_gid
    shared = mode & GROUP if keeps_group else 0
    with contextlib.suppress(PermissionError):
        os.fchmod(fd, MODE | shared)
    if before.st_uid not in {found.st_uid, 0} and not shared:
        raise PermissionError(
            f"it belongs to {_name(before.st_uid)}, who could not read what {_me()} puts in its "
            f"place: run this as {_name(before.st_uid)}, give the file to {_me()}, or let both "
            "use it as a group (chmod 660)"
        )


def explain(error: OSError, *paths: Path) -> str:
    """What the system says, and, where it denies something, whose that is and what helps.

    Args:
        error: What it raised.
        paths: What was used, in the order in which it is to blame; their folders follow.
    """
    reason = str(error.strerror or error)
    if error.errno in {errno.EBUSY, errno.EXDEV}:
        return f"{reason}: a file that is mounted by itself cannot be replaced, mount its folder"
    if error.errno in {errno.ENOLCK, *UNSUPPORTED}:
        return f"{reason}: its file system lacks a function, a local disk or a database has all"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EEXIST}:
        return f"{reason}: {whose(paths)}"
    return f"{reason}: {paths[0]}" if error.errno == errno.EROFS else reason


def whose(paths: Sequence[Path]) -> str:
    """The first of these files, or of the folders above them, that we may not use, and whose it is.

    Where we may use all, it is the first one: its owner alone may do some things.
    """
    above = [parent for path in paths[:1] for parent in path.parents]
    place = next((each for each in (*paths, *above) if _is_denied(each, paths)), paths[0])
    try:
        status = place.stat()
        owner, mode = status.st_uid, status.st_mode
        if hasattr(os, "statvfs") and os.statvfs(place).f_flag & os.ST_RDONLY:
            return f"{place} is in a read-only file system"
    except OSError:
        return str(place)
    if sys.platform == "win32" or owner == os.geteuid():
        wanted = stat.S_IRWXU if stat.S_ISDIR(mode) else stat.S_IRUSR | stat.S_IWUSR
        if mode & wanted == wanted:
            return f"{place} is of this user, but protected: by an attribute (lsattr), say"
        return f"{place} is of this user, but its mode does not allow it (chmod u+rwX)"
    return (
        f"{place} belongs to {_name(owner)}, and this is {_me()}: run this as {_name(owner)}, or "
        f"give it to {_me()}"
    )


def _is_denied(path: Path, files: Sequence[Path]) -> bool:
    if path in files or path in {file.parent for file in files}:
        wanted = os.R_OK | os.W_OK
    else:
        wanted = os.X_OK
    ids = os.access in os.supports_effective_ids
    return os.path.lexists(path) and not os.access(path, wanted, effective_ids=ids)


def _give_as_root(made: Path | int, folder: Path) -> None:
    """Give what root has made in the folder of a user to that user.

    A file is given by its descriptor: under its name the user may have put another one meanwhile.
    """
    if sys.platform == "win32" or os.geteuid() != 0:
        return
    owner = folder.stat()
    if owner.st_uid == 0:
        return
    with contextlib.suppress(OSError):
        if isinstance(made, int):
            os.fchown(made, owner.st_uid, owner.st_gid)
        else:
            os.lchown(made, owner.st_uid, owner.st_gid)


def _copy_attributes(source: Path, fd: int) -> None:
    """Copy what a file system keeps besides the mode: access lists, labels."""
    if not hasattr(os, "listxattr"):
        return
    with contextlib.suppress(OSError):
        for name in os.listxattr(source):
            with contextlib.suppress(OSError):
                os.setxattr(fd, name, os.getxattr(source, name))


def _me() -> str:
    return _name(os.geteuid())


def _name(uid: int) -> str:
    """A user by name, if the machine knows it: a container may not."""
    import pwd  # noqa: PLC0415 - not on Windows

    try:
        return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
    except KeyError:
        return f"uid {uid}"
