"""Access tokens of an OpenID Connect provider, where OIDC_ISSUER names one.

fetching  one document from the provider, within a time and a size
keys      the keys that it signs with, kept
tokens    whether a token is an access token of its, for us
links     which user its subject is here
"""
