"""The types of the fields that messages carry, each with its meaning, its unit and an example.

What has a fixed set of values inside the bank (a kind, a status, a code) is text here: a new value is no new version.
"""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta


class MessageData(msgspec.Struct, frozen=True, gc=False):
    """What a message tells. All fields are always there, for no reader has to ask whether one is missing."""


_ACCOUNT = "019cae2d-0e80-7a3b-8c1d-2f4e6a8b0c1d"
_OTHER_ACCOUNT = "019cae2d-0e80-7a3b-8c1d-2f4e6a8b0c2e"
_CLIENT = "019cae2c-f1a0-7b4c-9d2e-3a5f7b9c1d2e"
_TRANSFER = "019cae2e-1c40-7c5d-ae3f-4b6a8c0d2e3f"
_PAYMENT = "019cae2e-3a60-7e7f-8051-6d8cae2f4051"
_HOLD = "019cae2e-2fb0-7d6e-bf40-5c7b9d1e3f40"

Amount = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]

AccountId = Annotated[UUID, Meta(description="The account.", examples=[_ACCOUNT])]
ClientId = Annotated[UUID, Meta(description="The client.", examples=[_CLIENT])]
TransferId = Annotated[
    UUID, Meta(description="The transfer, which its journal entry shares its id with.", examples=[_TRANSFER])
]
EntryId = Annotated[
    UUID, Meta(description="The journal entry; a transfer's has the transfer's id.", examples=[_TRANSFER])
]
PaymentId = Annotated[UUID, Meta(description="The payment.", examples=[_PAYMENT])]
HoldId = Annotated[UUID, Meta(description="The hold.", examples=[_HOLD])]
DebtorAccount = Annotated[
    UUID | None, Meta(description="The account that pays; null for a deposit.", examples=[_ACCOUNT])
]
CreditorAccount = Annotated[
    UUID | None, Meta(description="The account that is paid; null for a withdrawal.", examples=[_OTHER_ACCOUNT])
]
Staff = Annotated[int, Meta(description="The user, of the bank's staff, who did it.", examples=[7])]
Actor = Annotated[int | None, Meta(description="The user who did it; null if the system did.", examples=[7])]

Currency = Annotated[str, Meta(description="ISO 4217 code.", examples=["BRL"])]
TransferAmount = Annotated[Amount, Meta(description="How much, in minor units; above 0.", examples=[1050])]
TransferKind = Annotated[str, Meta(description="deposit, withdrawal or internal.", examples=["internal"])]
FailureCode = Annotated[str, Meta(description="Why nothing moved.", examples=["insufficient_funds"])]
OverdraftLimit = Annotated[
    Amount, Meta(description="How far below 0 the balance may fall, in minor units.", examples=[50000])
]
Booked = Annotated[Amount, Meta(description="The booked balance, in minor units.", examples=[125000])]
Pending = Annotated[Amount, Meta(description="What open holds take from it, in minor units.", examples=[2500])]
Available = Annotated[Amount, Meta(description="What can still be taken, in minor units.", examples=[122500])]
Version = Annotated[
    int,
    Meta(ge=0, le=2**63 - 1, description="Orders the balances of one account: keep the highest.", examples=[42]),
]
