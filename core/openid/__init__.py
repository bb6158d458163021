"""OpenID Connect providers: the one whose access tokens customers send to the API, where OIDC_ISSUER names one, and the
one at which staff sign in to the back office, where STAFF_OIDC_ISSUER does.

fetching   one answer from a provider, within a time and a size
discovery  where its parts are
keys       the keys that it signs with, kept
tokens     whether a token is an access token of its, for us
sign_in    how a member of staff signs in at it
links      which user its subject is here
"""
