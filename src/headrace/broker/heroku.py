"""Heroku's variables for Kafka (Dev Center, "Apache Kafka on Heroku"), read as settings of `[kafka]` and `[topics]`."""

from collections.abc import Mapping

from headrace.errors import ConfigError

_PROTOCOLS = {"kafka": "plaintext", "kafka+ssl": "ssl"}


def from_heroku(environ: Mapping[str, str], attachment: str = "KAFKA") -> Mapping[str, str | bool]:
    """Return the keys of `[kafka]` that follow from `KAFKA_URL` and its certificates; nothing without `KAFKA_URL`.

    Certificates are named (`env:KAFKA_CLIENT_CERT_KEY`), not copied. Heroku's brokers have certificates of its own
    authority that name no host, so the authority is checked and the host is not. *attachment* is the name under which
    the add-on is attached. Raise `ConfigError` when the addresses cannot be understood.
    """
    url = environ.get(f"{attachment}_URL")
    if not url:
        return {}
    parted = [address.strip().partition("://") for address in url.split(",")]
    schemes = {scheme for scheme, _, _ in parted}
    servers = [rest.rstrip("/") for _, _, rest in parted]
    if len(schemes) > 1 or not schemes <= _PROTOCOLS.keys() or not all(servers):
        raise ConfigError(
            f"{attachment}_URL cannot be read; it is of the form kafka+ssl://host:port,kafka+ssl://host:port"
        )
    settings: dict[str, str | bool] = {
        "bootstrap_servers": ",".join(servers),
        "security_protocol": _PROTOCOLS[schemes.pop()],
    }
    certificates = {"ssl_ca": "TRUSTED_CERT", "ssl_certificate": "CLIENT_CERT", "ssl_key": "CLIENT_CERT_KEY"}
    for key, name in certificates.items():
        if environ.get(f"{attachment}_{name}"):
            settings[key] = f"env:{attachment}_{name}"
            settings["ssl_check_hostname"] = False
    return settings


def prefix_from_heroku(environ: Mapping[str, str], attachment: str = "KAFKA") -> str:
    """Return the prefix that a shared cluster asks of every topic and group, its dot included; empty without one."""
    return environ.get(f"{attachment}_PREFIX", "")
