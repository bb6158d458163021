"""Where a request comes from, as far as that can be believed."""

from ipaddress import IPv4Address, IPv6Network, ip_address

from django.conf import settings
from django.http import HttpRequest


def get_source(request: HttpRequest) -> str:
    """Return the address that limits count under: of IPv6 the /64, since a single subscriber has all of it.

    X-Forwarded-For is believed as far as TRUSTED_PROXIES of our own have written it; what stands further left is the
    caller's invention.
    """
    peer = request.META.get("REMOTE_ADDR", "")
    hops = [*(request.headers.get("X-Forwarded-For") or peer).split(","), peer]
    try:
        address = ip_address(hops[-1 - min(settings.TRUSTED_PROXIES, len(hops) - 1)].strip())
    except ValueError:
        return "unknown"
    if isinstance(address, IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or IPv6Network((address, 64), strict=False))
