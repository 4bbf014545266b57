from __future__ import annotations

from typing import Any

import pytest

from tap_freshbooks.schema.credentials import is_credential, without_credentials
from tap_freshbooks.schema.fields import AnyJson, Array, Excluded, Integer, Money, Object, Text
from tap_freshbooks.schema.unknown_fields import extra_fields, part_of_extra
from tests.schema.test_fields import Problems


@pytest.mark.parametrize(
    "name",
    [
        *("token", "access_token", "refreshToken", "fasttrack_token", "token_2", "TOKEN"),
        *("client_secret", "secrets", "password", "passwd", "passphrase", "credentials", "jwt"),
        *("api_key", "apiKey", "API-Key", "apikey", "publishable_key", "user_publishable_key"),
        *("private_key", "accessKey", "signing_key", "verifier", "Authorization", "set_cookie"),
        *("pwd", "userPwd", "passcode", "auth", "oauth", "pin", "login_otp", "totp_seed", "hmac"),
        *("csrf", "session_id", "security_code", "mfa_code", "recovery_codes", "cvc", "card_cvv"),
    ],
)
def test_the_name_of_a_credential_is_recognized(name: str) -> None:
    assert is_credential(name, "x")
    assert is_credential(name, {"value": "x"})
    assert is_credential(name, 1234)
    assert not is_credential(name, True)
    assert not is_credential(name, None)


@pytest.mark.parametrize(
    "name",
    [
        *("key", "keys", "primary_key", "sort_key", "monkey", "number", "passport", "compass"),
        *("authorization_status", "author", "id", "", "name", "pinned", "shipping", "option"),
        *("currency_code", "postal_code", "authors", "account_id", "oauth2client", "scvct"),
    ],
)
def test_other_names_are_none(name: str) -> None:
    assert not is_credential(name, "x")


@pytest.mark.parametrize(
    "value", ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "sk_live_51H8", "whsec_1", "Bearer abc"]
)
def test_a_value_that_is_a_credential_by_itself_is_withheld_under_any_name(value: str) -> None:
    problems = Problems()
    assert without_credentials({"a": {"thing": value, "b": 1}}, "info", problems) == {"a": {"b": 1}}
    assert problems.withheld_paths == ["info.thing"]


def test_credentials_are_withheld_at_any_depth_and_the_rest_is_the_same() -> None:
    problems = Problems()
    value = {"a": [{"token": "x", "b": [1, None, {"c": 2, "secret": []}]}], "d": "e"}
    before = str(value)
    assert without_credentials(value, "info", problems) == {
        "a": [{"b": [1, None, {"c": 2}]}],
        "d": "e",
    }
    assert str(value) == before
    assert problems.withheld_paths == ["info.token", "info.secret"]


@pytest.mark.parametrize("value", [{}, [], {"a": {"b": [{"c": None}]}}, [[1], ["x"]]])
def test_a_value_without_credentials_is_returned_itself(value: Any) -> None:
    problems = Problems()
    assert without_credentials(value, "info", problems) is value
    assert problems.withheld_paths == []


def test_objects_without_fixed_fields_withhold_them_in_every_row() -> None:
    problems = Problems()
    convert = Object(id=Integer(), info=AnyJson(), parts=AnyJson("array")).converter("", problems)
    for number in range(3):
        assert convert({"id": number, "info": {"api_key": "x", "n": number}, "parts": []}) == {
            "id": number,
            "info": {"n": number},
            "parts": [],
        }
        assert convert({"id": number, "parts": [{"token": "x"}]}) == {"id": number, "parts": [{}]}
    assert set(problems.withheld_paths) == {"info.api_key", "parts.token"}
    assert problems.invalid_paths == []


FIELDS = Object(
    id=Integer(),
    total=Money(),
    secret_of_another_stream=Excluded(),
    owner=Object(name=Text(), key=Excluded()),
    lines=Array(Object(qty=Integer(), tags=Array(Object(name=Text())))),
    info=AnyJson(),
)


def test_unknown_fields_have_paths_with_positions() -> None:
    problems = Problems()
    row = {
        "id": 1,
        "new": {"a": 1},
        "total": {"amount": "1.00", "code": "CAD", "exact": "1.001"},
        "secret_of_another_stream": {"x": "never"},
        "owner": {"name": "", "key": "never", "fax": None},
        "lines": [None, {"qty": 1, "tags": [{}, {"name": "", "colour": "red"}]}, {"new": [1]}],
        "info": {"anything": 1},
        "access_token": "never",
    }
    extra = extra_fields(FIELDS, row, problems)
    assert extra == {
        "new": {"a": 1},
        "total.exact": "1.001",
        "owner.fax": None,
        "lines[1].tags[1].colour": "red",
        "lines[2].new": [1],
    }
    assert problems.withheld_paths == ["access_token"]
    assert part_of_extra(extra, "lines[1]") == {"tags[1].colour": "red"}
    assert part_of_extra(extra, "lines[0]") is None
    assert part_of_extra(None, "lines[0]") is None


@pytest.mark.parametrize(
    "row", [{"owner": "x", "lines": {"new": 1}, "total": 5}, {"lines": ["x", [1]]}, {}]
)
def test_values_of_other_kinds_have_no_unknown_fields(row: dict[str, Any]) -> None:
    assert extra_fields(FIELDS, row, Problems()) == {}


@pytest.mark.parametrize("token", [{}, {"token": "x"}])
def test_what_is_nested_too_deeply_does_not_fit(token: dict[str, Any]) -> None:
    deep: Any = "end"
    for _ in range(95):
        deep = {"a": [deep], **token}
    problems = Problems()
    convert = Object(info=AnyJson()).converter("", problems)
    assert convert({"info": deep}) == {"info": None}
    assert extra_fields(FIELDS, {"new": deep}, problems) == {"new": None}
    assert problems.invalid_paths == ["info", "new"]
    assert convert({"info": {"a": [{}]}}) == {"info": {"a": [{}]}}
