"""The rail: takes payments of the bank, settles them or sends them back, and keeps the bank's account.

    PUT /payments/{uetr}                    a pacs.008 -> {"message": pacs.002}: 200, or 422 if it is refused
    GET /payments/{uetr}                    -> {"message": pacs.002}, or 404
    GET /messages/{outbox}/{position}       -> what the rail says after the position, which acknowledges it
    GET /statements/{day}/{currency}        -> {"message": camt.053} of a day (UTC)

A payment is known by its UETR: whoever sends it again gets the first answer, and it is carried out once.

    ledger    what was taken in, what is due to happen and when, what was booked and what was said, in SQLite
    messages  the messages, read and written without the bank's code
    service   what is answered
"""
