"""logActivity: logs what was done, with whom and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Annotated

import strawberry

from schema.access import Scope
from schema.context import Info
from schema.costs import costs
from schema.drafts import ActivityDraft
from schema.errors import MutationError
from schema.mutations.delivery import written
from schema.mutations.outcome import settled
from schema.mutations.parties import resolve
from schema.rules import MOST_ENTRIES, Rules
from schema.types.activity import Activity, ActivityCategory
from schema.types.receipt import Delivery, Receipt, WriteOperation
from schema.types.refs import PartyRef, name_of


@strawberry.input(description="The activity to log.")
class LogActivityInput:
    subject: str = strawberry.field(description="What it was about. Not empty.")
    description: str | None = strawberry.field(default=None, description="More about it.")
    category: ActivityCategory = strawberry.field(default=ActivityCategory.OTHER, description="The category.")
    occurred_at: datetime | None = strawberry.field(default=None, description="When it happened. Now, if left out.")
    contacts: list[PartyRef] | None = strawberry.field(
        default=None,
        description="Whom it was with. Each is resolved to the activity vendor's own record; one that cannot be resolved is "
        "an error and nothing is written. At most 100.",
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


@strawberry.mutation(
    description="Logs an activity at Reevo.", extensions=[Scope("activities:write")], metadata=costs(1)
)
async def log_activity(
    info: Info,
    input: Annotated[LogActivityInput, strawberry.argument(description="The activity to log.")],
) -> LogActivityPayload | None:
    return await settled(LogActivityPayload, _log(info, input))


async def _log(info: Info, given: LogActivityInput) -> LogActivityPayload:
    draft, parties = activity_draft(given)

    async def resolve_contacts() -> ActivityDraft:
        found = await resolve(info, parties, info.context.activities.contact_ids, "contact at Reevo")
        return replace(draft, contact_ids=tuple(dict.fromkeys(own_ids[0] for own_ids in found)))

    done = await written(info, WriteOperation.LOG_ACTIVITY, draft, given.delivery, resolve_contacts)
    return LogActivityPayload(activity=done.result, receipt=done.receipt, errors=[])


def activity_draft(given: LogActivityInput) -> tuple[ActivityDraft, list[tuple[PartyRef, list[str]]]]:
    """The draft of an activity, and the parties that it is with; or a Refusal with every broken rule."""
    rules = Rules()
    if not given.subject.strip():
        rules.broken("Must not be empty.", "subject")
    contacts = rules.at_most(MOST_ENTRIES, given.contacts, "contacts")
    parties = [(rules.party(ref, "contacts", n), ["input", "contacts", str(n)]) for n, ref in enumerate(contacts)]
    draft = ActivityDraft(
        subject=given.subject,
        description=given.description,
        category=given.category,
        occurred_at=given.occurred_at,
        parties=tuple(name_of(party) for party, _ in parties),
        contact_ids=(),
        account_id=rules.foreign_id("an account", given.account_id, "accountId"),
        opportunity_id=rules.foreign_id("an opportunity", given.opportunity_id, "opportunityId"),
        sequence_id=rules.foreign_id("a sequence", given.sequence_id, "sequenceId"),
        pipeline_stage_id=rules.foreign_id("a pipeline stage", given.pipeline_stage_id, "pipelineStageId"),
        idempotency_key=rules.text(given.idempotency_key, "idempotencyKey", most=255),
    )
    rules.finish()
    return draft, parties
