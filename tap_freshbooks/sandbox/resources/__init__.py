"""All resources that the sandbox serves. A new one is declared in a module here and listed below."""

from __future__ import annotations

from .catalogue import ITEMS, TAXES
from .clients import CLIENTS
from .estimates import ESTIMATES
from .invoices import INVOICES
from .payments import PAYMENTS

RESOURCES = (CLIENTS, INVOICES, ESTIMATES, PAYMENTS, ITEMS, TAXES)
BY_NAME = {resource.name: resource for resource in RESOURCES}
LISTS = {(resource.family.name, resource.path): resource for resource in RESOURCES}
ITEM_PATHS = {
    (resource.family.name, path): resource
    for resource in RESOURCES
    for path in (resource.path, *resource.item_paths)
}
