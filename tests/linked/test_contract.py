"""The linked types are those of the contract: every field by name and type, literally."""

import pytest
from graphql import (
    ConstValueNode,
    GraphQLArgument,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
    print_ast,
)

from schema.build import build_schema as build_gateway_schema

SCHEMA = build_schema(build_gateway_schema().as_str())

NODE = {"id": "ID!"}
LIVES = {"vendorRecord": "VendorRecord!"}
PARTY = {
    **NODE,
    "displayName": "String",
    "emailAddresses": "[EmailAddress!]!",
    "phoneNumbers": "[PhoneNumber!]!",
    "profile": "Profile!",
    **LIVES,
}
LINKS = {"contactMethods": "ContactMethodConnection", "activities": "ActivityConnection"}
LOG = {
    **NODE,
    **LIVES,
    "source": "String!",
    "type": "String!",
    "payload": "JSON",
    "idempotencyKey": "String",
    "createdAt": "DateTime",
}
AT_ARCHITECT = {
    **PARTY,
    **LINKS,
    "name": "String",
    "linkedinProfileUrl": "URL",
    "contacts": "[Contact!]",
    "createdAt": "DateTime",
}
TYPES = {
    "Node": NODE,
    "Party": PARTY,
    "VendorRecord": {"vendor": "Vendor!", "kind": "String!", "id": "String!"},
    "Profile": {
        **LINKS,
        "displayName": "String",
        "emailAddresses": "[EmailAddress!]!",
        "phoneNumbers": "[PhoneNumber!]!",
        "linkedinProfileUrls": "[URL!]!",
        "people": "[Person!]",
        "prospects": "[Prospect!]",
        "contacts": "[Contact!]",
        "vendorRecords": "[VendorRecord!]!",
    },
    "Person": {**AT_ARCHITECT, "prospect": "Prospect", "logs": "PersonLogConnection"},
    "Prospect": {**AT_ARCHITECT, "person": "Person", "logs": "ProspectLogConnection"},
    "PersonLog": {**LOG, "person": "Person!", "updatedAt": "DateTime", "deletedAt": "DateTime"},
    "ProspectLog": {**LOG, "prospect": "Prospect!"},
    "Contact": {
        **PARTY,
        **LINKS,
        "identifiers": "[ContactIdentifier!]!",
        "identifierCount": "Int",
        "attributes": "JSON",
        "listIds": "[ID!]!",
        "accountIds": "[ID!]!",
        "companyRefs": "[String!]!",
        "isAnonymous": "Boolean",
        "person": "Person",
        "prospect": "Prospect",
        "createdAt": "DateTime",
        "updatedAt": "DateTime",
    },
    "ContactMethod": {
        **NODE,
        **LIVES,
        "clientId": "ID!",
        "type": "ContactMethodType",
        "value": "String!",
        "isPrimary": "Boolean!",
        "isVerified": "Boolean!",
        "verifiedAt": "DateTime",
        "label": "String",
        "externalId": "String",
        "metadata": "JSON",
        "profile": "Profile!",
        "contacts": "[Contact!]",
        "createdAt": "DateTime",
        "updatedAt": "DateTime",
    },
    "Activity": {
        **NODE,
        **LIVES,
        **dict.fromkeys(
            ("subject", "description", "type", "subType", "status", "priority", "location", "badgeStatus"), "String"
        ),
        **dict.fromkeys(("owner", "account", "opportunity"), "VendorRecord"),
        **dict.fromkeys(("occurredAt", "createdAt", "updatedAt"), "DateTime"),
        "category": "ActivityCategory",
        "details": "ActivityDetails",
        "contacts": "[Contact!]",
        "people": "[Person!]",
    },
    "MeetingDetails": {
        **dict.fromkeys(("title", "location", "status", "meetingType"), "String"),
        **dict.fromkeys(("startAt", "endAt"), "DateTime"),
        "participants": "[MeetingParticipant!]!",
    },
    "MeetingParticipant": {
        **dict.fromkeys(("name", "emailAddress", "rsvpStatus"), "String"),
        "isHost": "Boolean",
        "contact": "Contact",
    },
    "OtherActivityDetails": {"kind": "String", "raw": "JSON!"},
    "PageInfo": {
        **dict.fromkeys(("hasNextPage", "hasPreviousPage"), "Boolean!"),
        **dict.fromkeys(("startCursor", "endCursor"), "String"),
    },
}
LISTED = ("Person", "Prospect", "PersonLog", "ProspectLog", "Contact", "ContactMethod", "Activity")
PAGE = "first: Int = 20, after: String"
ROOTS = {
    "node": ("id: ID!", "Node"),
    "nodes": ("ids: [ID!]!", "[Node]!"),
    "profile": ("by: PartyRef!", "Profile"),
    "person": ("id: ID!", "Person"),
    "people": (PAGE, "PersonConnection"),
    "prospect": ("id: ID!", "Prospect"),
    "prospects": (PAGE, "ProspectConnection"),
    "contact": ("by: PartyRef!", "Contact"),
    "contacts": (PAGE, "ContactConnection"),
    "contactMethod": ("id: ID!", "ContactMethod"),
    "contactMethods": (f"filter: ContactMethodFilter, {PAGE}", "ContactMethodConnection"),
    "activity": ("id: ID!", "Activity"),
    "activities": (f"of: ActivityScope!, from: DateTime, to: DateTime, {PAGE}", "ActivityConnection"),
}
FOLLOWED = {
    "receiptChanged": ("by: ReceiptRef!", "Receipt!"),
    "activityLogged": ("of: ActivityScope!", "Activity!"),
}


@pytest.mark.parametrize("name", TYPES)
def test_a_type_has_the_fields_of_the_contract(name: str) -> None:
    """None is missing, renamed or of another type; more may be added."""
    assert {field: type_ for field, type_ in _fields(name).items() if field in TYPES[name]} == TYPES[name]


@pytest.mark.parametrize("name", LISTED)
def test_a_connection_has_edges_nodes_and_page_info(name: str) -> None:
    """In Relay's form."""
    edge = f"{name}Edge"
    assert _fields(f"{name}Connection") == {"edges": f"[{edge}!]!", "nodes": f"[{name}!]!", "pageInfo": "PageInfo!"}
    assert _fields(edge) == {"cursor": "String!", "node": f"{name}!"}


@pytest.mark.parametrize("name", FOLLOWED)
def test_a_subscription_takes_and_tells_what_the_contract_says(name: str) -> None:
    """Each event is one record, and never null."""
    assert _signature("Subscription", name) == FOLLOWED[name]


@pytest.mark.parametrize("name", ROOTS)
def test_a_root_field_takes_and_answers_what_the_contract_says(name: str) -> None:
    """With the arguments' defaults."""
    assert _signature("Query", name) == ROOTS[name]


@pytest.mark.parametrize("name", ["Profile", "Person", "Prospect", "Contact"])
def test_a_linked_list_is_paged(name: str) -> None:
    """Contact methods also by their kind."""
    methods = (f"type: ContactMethodType, {PAGE}", "ContactMethodConnection")
    assert _signature(name, "contactMethods") == methods
    assert _signature(name, "activities") == (PAGE, "ActivityConnection")


def _object(name: str) -> GraphQLObjectType | GraphQLInterfaceType:
    type_ = SCHEMA.get_type(name)
    assert isinstance(type_, GraphQLObjectType | GraphQLInterfaceType)
    return type_


def _fields(name: str) -> dict[str, str]:
    return {field: str(each.type) for field, each in _object(name).fields.items()}


def _signature(name: str, field: str) -> tuple[str, str]:
    found = _object(name).fields[field]
    arguments = ", ".join(
        f"{name}: {each.type}" + (f" = {print_ast(default)}" if (default := _default(each)) else "")
        for name, each in found.args.items()
    )
    return arguments, str(found.type)


def _default(argument: GraphQLArgument) -> ConstValueNode | None:
    return argument.ast_node.default_value if argument.ast_node else None
