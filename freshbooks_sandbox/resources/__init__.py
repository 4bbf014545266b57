"""All resources that are served, and the views beside them: each is declared in a module here."""

from __future__ import annotations

from freshbooks_sandbox.declarations import declared
from freshbooks_sandbox.resource import Resource
from freshbooks_sandbox.view import View

RESOURCES = declared(__name__, Resource)
BY_NAME = {resource.name: resource for resource in RESOURCES}
VIEWS = declared(__name__, View)
