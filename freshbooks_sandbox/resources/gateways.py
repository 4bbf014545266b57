"""Payment gateways: a list, and a delete that is final; nothing else exists.

See docs/freshbooks-api/resources/gateways.yaml.
"""

from __future__ import annotations

from freshbooks_sandbox.families.base import ACCOUNTING
from freshbooks_sandbox.resource import Resource, everything
from freshbooks_sandbox.write_rules import WriteRules

GATEWAYS = Resource(
    name="gateways",
    family=ACCOUNTING,
    path="systems/gateways",
    plural="gateways",
    single="gateway",
    scope="online_payments",
    is_readable_alone=False,
    blank={"gatewayid": 26, "gateway_name": "stripe", "sgid": 0, "connectionid": None},
    visibility=everything,
    write_rules=WriteRules(
        updated=None,
        deleted=None,
        http_delete="hard",
        delete_by_put=False,
        is_delete_only=True,
    ),
)
