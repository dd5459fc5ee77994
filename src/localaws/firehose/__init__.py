"""Amazon Data Firehose. A record's walk: service -> delivery -> log (durable) -> prefix (its key) -> S3."""
