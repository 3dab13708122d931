"""Every command: where its function is, and one line for the overview.

A command's module is imported when it is called or asked for its own `--help`, so that the overview costs little.
"""

import msgspec


class Command(msgspec.Struct, frozen=True):
    """A command: its name, the function as `module:name`, and what it does in one line."""

    name: str
    function: str
    help: str


class Family(msgspec.Struct, frozen=True):
    """A word that several commands begin with."""

    name: str
    help: str
    commands: tuple[Command, ...]


COMMANDS: tuple[Command | Family, ...] = (
    Command(
        "demo", "headrace.cli.demo:demo", "Run everything on this machine: Kafka, a worker, a bot and its traffic."
    ),
    Family(
        "kafka",
        "A real Apache Kafka on loopback, for development and tests.",
        (
            Command("start", "headrace.cli.kafka:start", "Start the brokers; return when all of them answer."),
            Command("stop", "headrace.cli.kafka:stop", "Stop the brokers and keep their data."),
            Command("status", "headrace.cli.kafka:status", "Say which brokers run."),
            Command("fetch", "headrace.cli.kafka:fetch", "Download the broker's jars, once."),
        ),
    ),
    Family(
        "topics",
        "The topics of the configuration.",
        (
            Command("plan", "headrace.cli.topics:plan", "Show how the cluster differs from the configuration."),
            Command("apply", "headrace.cli.topics:apply", "Create and change topics to match; nothing is deleted."),
        ),
    ),
    Command("emit", "headrace.cli.emit:emit", "Emit one event per JSON line of a file."),
    Command("deliver", "headrace.cli.deliver:deliver", "Run the worker: from Kafka to every org's destinations."),
    Command("log", "headrace.cli.log:log", "Read the event log: conversations and their exceptions."),
    Command("console", "headrace.cli.console:console", "Run the web console."),
    Command("ask", "headrace.cli.ask:ask", "Ask a running console what its pages show, as JSON."),
    Command("token", "headrace.cli.token:token", "Make a token for the console: for one org, or for an operator."),
    Command("password", "headrace.cli.token:password", "Make what may stand in a password's place."),
    Command("tail", "headrace.cli.tail:tail", "Show live events as they arrive on Kafka."),
    Family(
        "dead",
        "Dead letters: what no destination took, and why.",
        (
            Command("list", "headrace.cli.dead:list_letters", "List dead letters, by default the open ones."),
            Command("show", "headrace.cli.dead:show", "Show one dead letter whole."),
            Command("redrive", "headrace.cli.dead:redrive", "Send dead letters to their destinations again."),
        ),
    ),
    Family(
        "destinations",
        "The configured destinations, and pausing them.",
        (
            Command("list", "headrace.cli.destinations:list_destinations", "List them, and which are paused."),
            Command("pause", "headrace.cli.destinations:pause", "Let a destination have no posts for now."),
            Command("resume", "headrace.cli.destinations:resume", "Let a paused destination go on."),
        ),
    ),
    Family(
        "alerts",
        "What the console tells when something is wrong.",
        (Command("test", "headrace.cli.alerts:send_test", "Post a test notification to the webhook."),),
    ),
    Command("metrics", "headrace.cli.metrics:metrics", "Print what Prometheus reads, a dashboard, or alert rules."),
    Command("audit", "headrace.cli.audit:audit", "Balance the ledger; exit 1 when it does not."),
    Command("doctor", "headrace.cli.doctor:doctor", "Say what is wrong, and the command that mends it."),
    Family(
        "config",
        "The configuration: what is in force, and what there is.",
        (
            Command("show", "headrace.cli.config:show", "Show every setting in force and where it comes from."),
            Command("reference", "headrace.cli.config:reference", "Print the reference of every setting."),
        ),
    ),
)
