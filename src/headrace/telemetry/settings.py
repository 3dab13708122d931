"""What Headrace tells of itself, and where it is read."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta


class TelemetrySettings(msgspec.Struct, frozen=True, kw_only=True):
    """Metrics, health and traces of a worker. The console has its metrics where it has its pages."""

    metrics_host: Annotated[
        str, Meta(description="The address on which a worker has /metrics, /livez and /readyz.")
    ] = "127.0.0.1"
    metrics_port: Annotated[
        int,
        Meta(
            ge=0,
            le=65_535,
            description="The port for that; 0: none. Of several workers the first has this one, each other the next.",
        ),
    ] = 0
    by_destination: Annotated[
        bool, Meta(description="Whether a worker's metrics tell destinations apart, by a label; never orgs.")
    ] = False
    traces: Annotated[
        Literal["off", "otlp"],
        Meta(
            description="Whether a worker sends its traces by OTLP, to where the variables OTEL_EXPORTER_OTLP_* say; "
            "it needs the extra `headrace[otel]`."
        ),
    ] = "off"
