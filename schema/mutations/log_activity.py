"""logActivity: logs what was done, with whom and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import strawberry

from schema.access import Scope
from schema.context import Info
from schema.drafts import ActivityDraft
from schema.errors import MutationError
from schema.mutations.delivery import check_delivery
from schema.mutations.outcome import settled
from schema.rules import Rules
from schema.types.activity import Activity, ActivityCategory
from schema.types.receipt import Delivery, Receipt
from schema.types.refs import PartyRef, given_field
from schema.vendor import Vendor


@strawberry.input(description="The activity to log.")
class LogActivityInput:
    subject: str = strawberry.field(description="What it was about. Not empty.")
    description: str | None = strawberry.field(default=None, description="More about it.")
    category: ActivityCategory = strawberry.field(default=ActivityCategory.OTHER, description="The category.")
    occurred_at: datetime | None = strawberry.field(default=None, description="When it happened. Now, if left out.")
    contacts: list[PartyRef] | None = strawberry.field(
        default=None,
        description="Whom it was with. Each is resolved to the activity vendor's own record; one that cannot be resolved is "
        "an error and nothing is written.",
    )
    account_id: strawberry.ID | None = strawberry.field(default=None, description="The account, by Reevo's own ID.")
    opportunity_id: strawberry.ID | None = strawberry.field(
        default=None, description="The opportunity, by Reevo's own ID."
    )
    sequence_id: strawberry.ID | None = strawberry.field(default=None, description="The sequence, by Reevo's own ID.")
    pipeline_stage_id: strawberry.ID | None = strawberry.field(
        default=None, description="The stage of the pipeline, by Reevo's own ID."
    )
    idempotency_key: str | None = strawberry.field(
        default=None, description="Makes the mutation safe to repeat. 1 to 255 characters."
    )
    delivery: Delivery = strawberry.field(default=Delivery.WAIT, description="When to answer.")


@strawberry.type(description="What became of logActivity.")
class LogActivityPayload:
    activity: Activity | None = strawberry.field(default=None, description="The activity that was logged.")
    receipt: Receipt | None = strawberry.field(default=None, description="The gateway's memory of this write.")
    errors: list[MutationError] = strawberry.field(description="Why it was not done. Empty when it was.")


@strawberry.mutation(description="Logs an activity at Reevo.", extensions=[Scope("activities:write")])
async def log_activity(
    info: Info,
    input: Annotated[LogActivityInput, strawberry.argument(description="The activity to log.")],
) -> LogActivityPayload | None:
    return await settled(LogActivityPayload, _log(info, input))


async def _log(info: Info, given: LogActivityInput) -> LogActivityPayload:
    return LogActivityPayload(activity=await info.context.activities.log(activity_draft(given)), errors=[])


def activity_draft(given: LogActivityInput) -> ActivityDraft:
    """The draft of an activity, or a Refusal with every broken rule."""
    rules = Rules()
    if not given.subject.strip():
        rules.broken("Must not be empty.", "subject")
    draft = ActivityDraft(
        subject=given.subject,
        description=given.description,
        category=given.category,
        occurred_at=given.occurred_at,
        contacts=tuple(_contact(rules, ref, n) for n, ref in enumerate(given.contacts or ())),
        account_id=rules.foreign_id("an account", given.account_id, "accountId"),
        opportunity_id=rules.foreign_id("an opportunity", given.opportunity_id, "opportunityId"),
        sequence_id=rules.foreign_id("a sequence", given.sequence_id, "sequenceId"),
        pipeline_stage_id=rules.foreign_id("a pipeline stage", given.pipeline_stage_id, "pipelineStageId"),
        idempotency_key=rules.text(given.idempotency_key, "idempotencyKey", most=255),
    )
    check_delivery(rules, given.delivery)
    rules.finish()
    return draft


def _contact(rules: Rules, ref: PartyRef, n: int) -> PartyRef:
    """The party in normal form. What can't be resolved yet is refused before anything is asked for the others."""
    field, value = given_field(ref)
    is_reevos = field == "vendor_record" and value.vendor is Vendor.REEVO and value.kind == "contact"
    if is_reevos:
        rules.foreign_id("a contact", value.id, "contacts", n, "vendorRecord", "id")
    elif field not in {"email_address", "phone_number"}:
        rules.broken(
            "Parties are resolved by e-mail address, phone number or Reevo's own contact record so far.", "contacts", n
        )
    return rules.party(ref, "contacts", n)
