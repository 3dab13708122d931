"""Asks another program by HTTP and follows no redirect: what is sent, and whose secret, is for the address
that was named.
"""

import urllib.request


def opener() -> urllib.request.OpenerDirector:
    """Return what opens http and https, through a proxy where the environment names one."""
    director = urllib.request.OpenerDirector()
    for part in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
    ):
        director.add_handler(part)
    return director
