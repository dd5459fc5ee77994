"""Amazon Data Firehose. The walk of a record: service -> delivery -> log (durable) -> prefix (its object's key) -> S3."""
