"""Whether this computer has a network, as far as that is known without sending anything."""

from __future__ import annotations

import ipaddress

import psutil


def has_network() -> bool:
    """Whether a network interface other than loopback is up and has an address. Sends nothing, so a network without
    internet counts too."""
    stats = psutil.net_if_stats()
    return any(
        stats[name].isup and any(_is_routed(address.address) for address in addresses)
        for name, addresses in psutil.net_if_addrs().items()
        if name in stats
    )


def _is_routed(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:  # the address of the network card
        return False
    return not (address.is_loopback or address.is_link_local or address.is_unspecified)
