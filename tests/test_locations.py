from __future__ import annotations

import pytest

from tap_freshbooks.locations import is_clear, is_misspelt_url, showable

PASSWORDS = [
    *(
        "hunter2",
        "hunter2@x",
        "@hunter2",
        "hunter2@",
        "hun:ter2",
        "hun/ter2",
        "hun?ter2",
        "hun#ter2",
    ),
    *(
        "hun%zzter2",
        "hun%40ter2",
        "hun ter2",
        "hun\\ter2",
        "hunter2/@/x",
        "hunter2?a@b",
        "1234/hunter2",
    ),
    *("1234?hunter2", "1234#hunter2", "hun[ter2", "hun]ter2", "hünter2", "hun\nter2", "hun=ter2"),
    *(
        "hun;ter2",
        "hun,ter2",
        "'hunter2'",
        '"hunter2"',
        "hun&ter2",
        "hunter2://hunter2",
        "hun@ter2:1",
    ),
]
"""The word that must not be seen is `hunter2`, and no part of it."""

TEMPLATES = [
    "postgresql://u:{}@host/db",
    "postgresql+psycopg://u:{}@host:5432/db?sslmode=require",
    "postgresql+psycopg://u:{}@host:5432,other:5433/db",
    "postgresql+psycopg://u:{}@[::1]:5432/db",
    "postgresql+psycopg://:{}@host/db",
    "postgresql+psycopg://{}@host/db",
    "postgresql+psycopg://me@corp:{}@host/db",
    "postgresql+psycopg://u:{}@/db?host=/run/postgresql",
    "postgresql+psycopg:///u:{}@host/db",
    "postgresql+psycopg:////u:{}@host/db",
    "postgresql+psycopg://host/db?user=u&password={}",
    "postgresql+psycopg://host:5432/db?user=u&password={}",
    "postgresql+psycopg://host:5432?password={}",
    "postgresql+psycopg://host:5432/db;password={}",
    "postgresql:/u:{}@host/db",
    "postgresql//u:{}@host/db",
    "postgresql:u:{}@host/db",
    "postgres:{}",
    "//u:{}@host/db",
    "u:{}@host/db",
    "host=db.example user=u password={}",
    "password = '{}' host=db.example",
    "jdbc:postgresql://host/db?user=u&password={}",
    "sqlite:////data/tokens.db?key={}",
    "sqlite+pysqlcipher://:{}@//data/tokens.db",
    "sqlite:////data/tokens.db;password={}",
    "mysql://u:{}@host/db",
    "http://u:{}@proxy:3128",
    "https://u:{}@api.freshbooks.com",
    "https://{}@api.freshbooks.com/",
    "https://api.freshbooks.com/?token={}",
    "https://api.freshbooks.com/#{}",
    "HTTPS://u:{}@API.freshbooks.com",
    "socks5h://u:{}@proxy:1080",
]


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_password_is_never_shown(template: str) -> None:
    for password in PASSWORDS:
        shown = showable(template.format(password))
        assert not any(part in shown for part in ("hun", "hün", "ter2", "1234")), password


@pytest.mark.parametrize(
    ("location", "shown"),
    [
        ("/data/tokens.json", "/data/tokens.json"),
        ("~/to kens (1).json", "~/to kens (1).json"),
        ("/srv/me@example.com/tokens.json", "/srv/me@example.com/tokens.json"),
        ("sqlite:////data/me@example.com/t.db", "sqlite:////data/me@example.com/t.db"),
        ("postgresql://u:p@host/db", "postgresql://***@host/db"),
        ("postgresql://u:p%40ss@host/db", "postgresql://***@host/db"),
        ("postgresql://u:p@ss@host/db", "postgresql://…"),
        ("postgresql://u:hunter2", "postgresql://…"),
        ("postgresql://u@/db?host=/run", "postgresql://***@/db?***"),
        ("postgresql://a:1,b:2/db", "postgresql://a:1,b:2/db"),
        ("https://api.freshbooks.com", "https://api.freshbooks.com"),
        ("http://127.0.0.1:8080/base", "http://127.0.0.1:8080/base"),
        ("http://u:p@[::1]:8080", "http://***@[::1]:8080"),
        ("", ""),
    ],
)
def test_what_is_clear_is_shown(location: str, shown: str) -> None:
    assert showable(location) == shown
    assert is_clear(location) == (not shown.endswith("…"))


@pytest.mark.parametrize(
    ("location", "is_database"),
    [
        ("host=h password=p", True),
        ("postgres:secret", True),
        ("u:p@host/db", True),
        ("sslmode=require host = h", True),
        ("tokens.json", False),
        ("C:\\tokens.json", False),
        ("/data/my host=1/x", False),
        ("/data/hosts/x.json", False),
        ("../a@b.json", False),
    ],
)
def test_a_database_without_slashes_is_no_file(location: str, is_database: bool) -> None:
    assert is_misspelt_url(location) == is_database
