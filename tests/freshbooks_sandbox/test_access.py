from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests

if TYPE_CHECKING:
    from tests.freshbooks_sandbox.conftest import Caller

UNAUTHENTICATED = {
    "error": "unauthenticated",
    "error_description": "This action requires authentication to continue.",
}
NOT_FOUND = {"response": {"errors": [{"message": "Account not found", "errno": 404}]}}


def test_a_dead_token_is_a_401_in_every_family(caller: Caller) -> None:
    caller.authorize("dead")
    for path in (
        f"/accounting/account/{caller.account}/users/clients",
        f"/accounting/businesses/{caller.uuid}/ledger_accounts/accounts",
        f"/projects/business/{caller.business}/projects",
        f"/timetracking/business/{caller.business}/time_entries",
        f"/comments/business/{caller.business}/services",
        f"/auth/api/v1/businesses/{caller.business}/team_members",
    ):
        answer = caller.get(path)
        assert (answer.status_code, answer.json()) == (401, UNAUTHENTICATED)


def test_the_account_is_looked_up_before_the_token(caller: Caller) -> None:
    answer = requests.get(f"{caller.url}/accounting/account/nobody/users/clients", timeout=30)
    assert (answer.status_code, answer.json()) == (404, NOT_FOUND)


def test_a_wrong_kind_of_identifier_is_a_bare_404(caller: Caller) -> None:
    wrong = caller.get(f"/accounting/account/{caller.business}/users/clients")
    assert (wrong.status_code, wrong.json()) == (404, NOT_FOUND)
    wrong = caller.get(f"/accounting/account/{caller.account.swapcase()}/users/clients")
    assert wrong.status_code == 404
    wrong = caller.get(f"/projects/business/{caller.account}/projects")
    assert wrong.status_code == 404
    assert "was not found on the server" in wrong.json()["message"]
    wrong = caller.get("/projects/business/1/projects")
    assert wrong.json() == {"error": "Requested resource could not be found."}
    wrong = caller.get(f"/accounting/businesses/{caller.account}/ledger_accounts/accounts")
    assert wrong.json()["errors"]["status"] == 404


def test_a_401_with_errno_1003_is_no_dead_token(caller: Caller) -> None:
    caller.at(5)
    answer = caller.get(f"/accounting/account/{caller.account}/users/clients")
    assert answer.status_code == 401
    assert answer.json()["response"]["errors"][0]["errno"] == 1003


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("accounting/account/{account}/users/clients/99", "Client not found."),
        ("accounting/account/{account}/invoices/invoices/99", "Invoice not found."),
        ("projects/business/{business}/project/99", "Requested resource could not be found."),
        ("accounting/account/{account}/no/such", "not found on the server"),
        ("elsewhere", "not found on the server"),
    ],
)
def test_what_does_not_exist_is_a_404(caller: Caller, path: str, text: str) -> None:
    answer = caller.get(f"/{path.format(account=caller.account, business=caller.business)}")
    assert answer.status_code == 404
    assert text in answer.text


def test_an_unknown_record_is_named_as_text(caller: Caller) -> None:
    answer = caller.get(f"/accounting/account/{caller.account}/users/clients/99")
    assert answer.json()["response"]["errors"] == [
        {
            "errno": 1012,
            "field": "userid",
            "message": "Client not found.",
            "object": "client",
            "value": "99",
        }
    ]


def test_a_customer_reads_what_is_his_and_writes_nothing(caller: Caller) -> None:
    caller.at(4)
    invoices = caller.accounting("invoices/invoices?per_page=100")
    assert {row["customerid"] for row in invoices["invoices"]} == {1003}
    assert invoices["total"] > len(invoices["invoices"]) > 0
    expenses = caller.accounting("expenses/expenses")
    assert expenses["expenses"] == []
    assert expenses["total"] > 0
    assert [row["id"] for row in caller.accounting("users/clients")["clients"]] == [1003]
    hidden = caller.get(f"/accounting/account/{caller.account}/users/clients/1001")
    assert hidden.status_code == 404
    refused = caller.write("PUT", "users/clients/1003", {"client": {"fname": "X"}})
    assert refused.status_code == 403
    assert refused.json()["response"]["errors"][0]["message"] == "Permission Denied."


def test_ids_are_not_unique_across_businesses(caller: Caller) -> None:
    names = []
    for business in (1, 2):
        caller.at(business)
        names.append(caller.accounting("users/clients/1001")["client"]["organization"])
    assert names[0] != names[1]


def test_rate_limit_headers_stand_on_every_answer(caller: Caller) -> None:
    for path in ("/auth/api/v1/users/me", f"/projects/business/{caller.business}/projects"):
        headers = caller.get(path).headers
        assert headers["X-RateLimit-Limit"] == "600"
        assert 0 <= int(headers["Retry-After"]) <= 60
        assert int(headers["X-RateLimit-Reset"]) > 0
        assert int(headers["X-RateLimit-Remaining"]) < 600


def test_content_types_and_versions_differ_by_family(caller: Caller) -> None:
    projects = caller.get(f"/projects/business/{caller.business}/projects").headers
    assert projects["Content-Type"] == "application/vnd.api+json"
    assert projects["x-api-version"] == "2023-02-20"
    members = caller.get(f"/auth/api/v1/businesses/{caller.business}/team_members").headers
    assert members["x-api-version"] == "2019-07-10"
