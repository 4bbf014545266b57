"""Events, payments, the members of a business, and the developer's applications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from freshbooks_sandbox import Sandbox
from tests.freshbooks_sandbox.conftest import Caller

if TYPE_CHECKING:
    import requests

HOOK = "http://hooks.example.test/freshbooks"


def events(caller: Caller, path: str = "") -> requests.Response:
    return caller.get(f"/events/account/{caller.account}/events/callbacks{path}")


def change(caller: Caller, method: str, path: str, body: Any = None) -> requests.Response:
    whole = f"/events/account/{caller.account}/events/callbacks{path}"
    return caller.request(method, whole, None if body is None else {"callback": body})


def payments(caller: Caller, path: str) -> requests.Response:
    return caller.get(f"/payments/account/{caller.account}/{path}")


def test_callbacks_come_in_the_envelope_of_accounting(caller: Caller) -> None:
    result = events(caller).json()["response"]["result"]
    assert (result["page"], result["per_page"]) == (1, 15)
    assert result["total"] == len(result["callbacks"])
    assert set(result["callbacks"][0]) == {"callbackid", "event", "uri", "verified", "updated_at"}
    assert all(row["updated_at"].endswith("Z") for row in result["callbacks"])
    one = events(caller, f"/{result['callbacks'][0]['callbackid']}").json()
    assert one["response"]["result"]["callback"] == result["callbacks"][0]


def test_the_event_search_finds_the_parent_as_well(caller: Caller) -> None:
    def found(event: str) -> list[str]:
        rows = events(caller, f"?search[event]={event}").json()["response"]["result"]["callbacks"]
        return [row["event"] for row in rows]

    assert found("client.create") == ["client"]
    assert found("invoice.create") == ["invoice.create"]
    assert found("invoice.update") == []


def test_a_callback_is_registered_verified_sent_again_and_removed(writer: Caller) -> None:
    made = change(writer, "POST", "", {"event": "invoice.create", "uri": HOOK})
    callback = made.json()["response"]["result"]["callback"]
    assert (made.status_code, callback["verified"]) == (200, False)
    path = f"/{callback['callbackid']}"
    wrong = change(writer, "PUT", path, {"verifier": "x"})
    assert (wrong.status_code, wrong.json()["errno"]) == (400, 422)
    truth = {row["callbackid"]: row for row in writer.sandbox.truth("callbacks")}
    verifier = truth[callback["callbackid"]]["verifier"]
    assert verifier.isalnum()
    assert len(verifier) == 34
    again = change(writer, "PUT", path, {"resend": True}).json()["response"]["result"]
    assert again["callback"] == callback
    body = {"verifier": verifier, "callback_id": callback["callbackid"]}
    verified = change(writer, "PUT", path, body).json()["response"]["result"]["callback"]
    assert verified["verified"] is True
    moved = change(writer, "PUT", path, {"uri": f"{HOOK}/2"}).json()["response"]["result"]
    assert moved["callback"]["verified"] is False
    gone = change(writer, "DELETE", path)
    assert (gone.status_code, gone.content) == (204, b"")
    assert events(writer, path).status_code == 404


def test_the_events_family_has_errors_of_its_own(writer: Caller) -> None:
    unknown = events(writer, "/99")
    assert unknown.status_code == 404
    assert unknown.json() == {"errno": 404, "message": "Requested resource could not be found."}
    bad = change(writer, "POST", "", {"event": "invoice.paid", "uri": "hooks"})
    assert bad.status_code == 400
    assert bad.json()["errno"] == 422
    assert bad.json()["details"] == [
        "event: Value error, Unrecognized event.",
        "uri: Input should be a valid URL, relative URL without a base",
    ]
    assert change(writer, "POST", "", {}).json()["details"] == [
        "event: Field required",
        "uri: Field required",
    ]


def test_a_callback_needs_the_scope_of_its_event(own: Sandbox) -> None:
    caller = Caller(own, scopes=["user:clients:read"])
    assert events(caller).status_code == 200
    allowed = change(caller, "POST", "", {"event": "client.update", "uri": HOOK})
    refused = change(caller, "POST", "", {"event": "invoice", "uri": HOOK})
    assert (allowed.status_code, refused.status_code) == (200, 403)
    stranger = Caller(own, scopes=["user:reports:read"])
    assert events(stranger).status_code == 403


def test_gateways_are_maps_of_connections(caller: Caller) -> None:
    answer = payments(caller, "gateway")
    assert answer.headers["Content-Type"] == "application/vnd.api+json"
    assert "x-api-version" not in answer.headers
    (newer,) = answer.json()["gateway_connections"]
    assert set(newer) == {"stripe", "stripe_unified", "paypal"}
    assert newer["stripe_unified"]["account_status"] == "fully_enabled"
    caller.at(2)
    (older,) = payments(caller, "gateway").json()["gateway_connections"]
    assert (older["stripe_unified"], older["stripe"]["user_state"]) == (None, "registered")
    assert older["fbpay"]["state"] == "complete_kyc"


def test_payment_options_of_the_account_and_of_an_invoice(caller: Caller) -> None:
    default = payments(caller, "payment_options?entity_type=invoice").json()["payment_options"]
    assert set(default) == {
        *("gateway_name", "has_credit_card", "has_ach_transfer", "has_bacs_debit"),
        *("has_sepa_debit", "has_acss_debit", "stripe_acss_payment_options"),
        *("has_paypal_smart_checkout", "allow_partial_payments", "entity_type", "entity_id"),
        "gateway_info",
    }
    assert (default["entity_type"], default["entity_id"]) == ("invoice", None)
    assert default["gateway_info"]["user_publishable_key"].startswith("pk_test_")
    of_one = payments(caller, "invoice/5002/payment_options").json()["payment_options"]
    assert of_one == {**default, "entity_id": "5002"}
    for query in ("?entity_type=bill", ""):
        bad = payments(caller, f"payment_options{query}")
        assert (bad.status_code, bad.json()["error_type"]) == (400, "validation")
        assert bad.json()["errors"][0]["field"] == "entity_type"
    missing = payments(caller, "invoice/9/payment_options")
    assert missing.json() == {"error_type": "not_found", "message": "Resource not found"}


def test_payments_are_refused_in_their_own_words(own: Sandbox) -> None:
    caller = Caller(own, scopes=["user:invoices:read"])
    answer = payments(caller, "gateway")
    assert answer.status_code == 403
    assert answer.json() == {"error_type": "forbidden", "message": "Forbidden."}
    caller.authorize("dead")
    for answer in (payments(caller, "gateway"), events(caller)):
        assert (answer.status_code, answer.json()["error"]) == (401, "unauthenticated")


def test_a_dead_token_may_be_answered_as_in_older_fixtures() -> None:
    with Sandbox(invoices=40, rate_limit=0, behaviours={"side_unauthenticated": "own"}) as sandbox:
        caller = Caller(sandbox)
        caller.authorize("dead")
        assert payments(caller, "gateway").json()["error_type"] == "unauthorized"
        assert events(caller).json()["errno"] == 401
        assert caller.projects()["error"] == "unauthenticated"
        caller.session.close()


def test_checkout_links_are_flat_and_switched_off_when_deleted(writer: Caller) -> None:
    rows = payments(writer, "checkout-links").json()["checkout_links"]
    items = {str(row["id"]): row["name"] for row in writer.sandbox.truth("items")}
    assert all(items[row["item_id"]] == row["item_name"] for row in rows)
    assert all(len(row["id"]) == 32 for row in rows)
    path = f"/payments/account/{writer.account}/checkout-links"
    made = writer.request("POST", path, {"item_id": "301", "amount": "220"}).json()
    assert (made["item_name"], made["currency"], made["is_active"]) == (items["301"], "CAD", True)
    changed = writer.request("PUT", f"{path}/{made['id']}", {"note": "soon"}).json()
    assert changed == {**made, "note": "soon"}
    assert writer.request("DELETE", f"{path}/{made['id']}").status_code == 204
    assert payments(writer, f"checkout-links/{made['id']}").json()["is_active"] is False


def test_the_group_has_everybody_who_can_log_in(caller: Caller) -> None:
    found = caller.get(f"/auth/api/v1/users/business/{caller.business}").json()["response"]
    assert found["id"] == caller.business
    assert found["account_id"] == caller.account
    group = found["business_group"]
    assert (set(group), group["category"]) == ({"id", "category", "members"}, "business")
    team = caller.sandbox.truth("team_members")
    people = {row["identity_id"]: row["email"] for row in team if row["identity_id"]}
    assert {row["identity_id"]: row["email"] for row in group["members"]} == people
    assert set(group["members"][0]) == {
        *("id", "group_id", "role", "identity_id", "identity_uuid", "first_name", "last_name"),
        *("language", "email", "company", "business_id", "unacknowledged_change", "active"),
    }
    me = caller.get("/auth/api/v1/users/me").json()["response"]
    owner = next(row for row in group["members"] if row["role"] == "owner")
    assert owner["identity_uuid"] == me["identity_uuid"]
    assert owner["id"] in {row["id"] for row in me["business_memberships"]}


def test_applications_come_without_their_secrets(caller: Caller) -> None:
    answer = caller.get("/auth/api/v1/partners/applications")
    rows = {row["client_id"]: row for row in answer.json()["response"]}
    assert caller.client_id in rows
    assert caller.settings["client_secret"] not in answer.text
    one = caller.get(f"/auth/api/v1/partners/applications/{caller.client_id}").json()
    assert one["response"] == rows[caller.client_id]
    assert caller.get("/auth/api/v1/partners/applications/none").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/comments/business/{business}/retainers",
        "/comments/business/{business}/service/401/rate",
        "/comments/business/{business}/time_entries/search",
        "/timetracking/business/{business}/timers",
        "/projects/business/{business}/abilities",
        "/events/account/{account}/events/callbacks",
        "/payments/account/{account}/gateway",
        "/payments/account/{account}/payment_options",
        "/auth/api/v1/users/business/{business}",
        "/auth/api/v1/partners/applications",
        "/accounting/account/{account}/reports/accounting/trial_balance",
        "/accounting/businesses/{uuid}/reports/cash_flow",
    ],
)
def test_faults_hit_the_new_paths(writer: Caller, path: str) -> None:
    names = {"business": writer.business, "account": writer.account, "uuid": writer.uuid}
    whole = path.format(**names)
    writer.sandbox.faults("deny", path=whole, times=1)
    assert writer.get(whole).status_code == 403
    writer.sandbox.faults("status", status=502, path=whole, times=1)
    assert writer.get(whole).status_code == 502
    assert writer.get(whole).status_code in (200, 400)
