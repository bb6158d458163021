"""What all pages of the back office share.

    cells    how a value is shown: an amount, a moment, a status, a link
    tables   rows of other models on the page of their parent, and who contributes which
    acts     what staff may do to a page's subject: a button, a reason, one service call
    search   the search boxes of lists, which keep numbers of documents out of addresses
    pages    the base of all pages: to be read, never edited as a form
    witnesses  who is told that staff saw a row
    users    the people who sign in
    roles    what they may do, and which roles exclude each other
    sign_in  the form in which staff do so
    factors  the pages of their second factors

An app of an upper layer adds its tables and acts to the pages of a lower one (`@table_on(Client)`, `@act_on(Client)`),
so imports still run one way.
"""

from core.admin import roles, sign_in, users

__all__ = ["roles", "sign_in", "users"]
