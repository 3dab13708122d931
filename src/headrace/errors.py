"""Every exception that Headrace raises on purpose.

HeadraceError                 something is wrong that a person can mend; its text says what and how
├── ConfigError               the configuration cannot be used: the key's path, what is wrong, the nearest name
│   └── SecretMissing         a secret's variable or file is not there, and it is needed now
├── UsageError                a command line or a call that makes no sense (also a ValueError)
├── BrokerError               Kafka refused or did not answer
│   ├── BrokerUnavailable     nobody answers at the bootstrap servers
│   ├── RecordTooLarge        no broker will ever take a record of this size on that topic
│   └── TopicMissing          a topic that must exist does not; `headrace topics apply` makes it
├── QueueFull                 a producer's bounded queue has no room now; keep the record and try again
├── LocalKafkaError           the broker for development cannot be had: Java, jars, port, start
└── StoreError                a store (the event log) refused or is damaged

What is expected is a value (an `Outcome`, an `Answer`), not an exception.
"""


class HeadraceError(Exception):
    """Something is wrong that a person can mend; the text is one sentence with the way out."""


class ConfigError(HeadraceError):
    """The configuration cannot be used."""


class SecretMissing(ConfigError):
    """A secret is needed, and its variable or file is not there."""


class UsageError(HeadraceError, ValueError):
    """A command line or a call that makes no sense."""


class BrokerError(HeadraceError):
    """Kafka refused, or did not answer in time."""


class BrokerUnavailable(BrokerError):
    """Nobody answers at the bootstrap servers."""


class TopicMissing(BrokerError):
    """A topic that must exist does not."""


class RecordTooLarge(BrokerError):
    """No broker will ever take a record of this size on that topic."""


class QueueFull(HeadraceError):
    """A producer's bounded queue has no room now: keep the record and try again."""


class LocalKafkaError(HeadraceError):
    """The broker for development and tests cannot be had or started."""


class StoreError(HeadraceError):
    """A store refused, or is damaged."""
