"""The bank on one machine with nothing installed: PostgreSQL, Valkey and a Kafka-protocol broker from wheels.

    python -m bank.embedded run               the whole bank, in the foreground, in one data folder
    python -m bank.embedded exec -- CMD...    CMD against throw-away engines on free ports
    python -m bank.embedded manage ARGS...    manage.py against the bank of `run`, running or not
    python -m bank.embedded kafka             Apache Kafka, in the foreground, for whoever wants a real broker

The application never learns that it is embedded: it gets the same variables as in production, only with
loopback addresses. From the ground up: `folder`, `keys`, `ports` (what is kept), `binaries` (which servers),
`launch` and `program` (how one is started), `supervisor` (that it keeps running), `foreground` (until when),
`postgres`, `valkey`, `broker` (the engines), `kafka_jars` and `apache_kafka` (a real broker in place of the last),
`engines` (all three), `environment` (what the application is told), and a module for each command:
`whole_bank`, `throwaway`, `manage`, `standing_kafka`.
"""
