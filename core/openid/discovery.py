"""Where a provider says that its parts are (OpenID Connect Discovery)."""

from collections.abc import Sequence

from core.openid.fetching import FetchError, fetch_object


def find_addresses(*, issuer: str, names: Sequence[str]) -> list[str]:
    """Return the addresses that the provider publishes under `names`.

    Raises FetchError for an answer about another issuer, or an address that is less protected than the issuer's.
    """
    document = fetch_object(url=f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    addresses = [document.get(name) for name in names]
    texts = [address for address in addresses if isinstance(address, str)]
    if document.get("issuer") != issuer or len(texts) < len(names):
        raise FetchError(f"The provider calls itself by another name than {issuer}, or does not name {names}.")
    if not all(text.startswith(("https://", f"{issuer.partition('://')[0]}://")) for text in texts):
        raise FetchError(f"One of {names} is not an https address.")
    return texts
