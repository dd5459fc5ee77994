"""The metrics that AWS publishes for what the pipeline is made of: namespace and dimensions to names.

docs.aws.amazon.com/firehose/latest/dev/monitoring-with-cloudwatch-metrics.html (direct put, to S3),
docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html,
docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html,
docs.aws.amazon.com/athena/latest/ug/query-metrics-viewing.html,
docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
"""

PUBLISHED: dict[tuple[str, str], frozenset[str]] = {
    ("AWS/Firehose", "DeliveryStreamName"): frozenset(
        {
            "BackupToS3.Bytes",
            "BackupToS3.DataFreshness",
            "BackupToS3.Records",
            "BackupToS3.Success",
            "BytesPerSecondLimit",
            "DataReadFromSource.Backpressured",
            "DeliveryToS3.Bytes",
            "DeliveryToS3.DataFreshness",
            "DeliveryToS3.ObjectCount",
            "DeliveryToS3.Records",
            "DeliveryToS3.Success",
            "IncomingBytes",
            "IncomingPutRequests",
            "IncomingRecords",
            "KMSKeyAccessDenied",
            "KMSKeyDisabled",
            "KMSKeyInvalidState",
            "KMSKeyNotFound",
            "PutRecord.Bytes",
            "PutRecord.Latency",
            "PutRecord.Requests",
            "PutRecordBatch.Bytes",
            "PutRecordBatch.Latency",
            "PutRecordBatch.Records",
            "PutRecordBatch.Requests",
            "PutRequestsPerSecondLimit",
            "RecordsPerSecondLimit",
            "ThrottledRecords",
        }
    ),
    ("AWS/Lambda", "FunctionName"): frozenset(
        {
            "AsyncEventAge",
            "AsyncEventsDropped",
            "AsyncEventsReceived",
            "ConcurrentExecutions",
            "DeadLetterErrors",
            "DestinationDeliveryFailures",
            "Duration",
            "Errors",
            "Invocations",
            "RecursiveInvocationsDropped",
            "Throttles",
        }
    ),
    ("AWS/SQS", "QueueName"): frozenset(
        {
            "ApproximateAgeOfOldestMessage",
            "ApproximateNumberOfMessagesDelayed",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesVisible",
            "NumberOfEmptyReceives",
            "NumberOfMessagesDeleted",
            "NumberOfMessagesReceived",
            "NumberOfMessagesSent",
            "SentMessageSize",
        }
    ),
    ("AWS/ApiGateway", "ApiId"): frozenset(
        {"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"},
    ),
    ("AWS/Athena", "WorkGroup"): frozenset(
        {
            "EngineExecutionTime",
            "ProcessedBytes",
            "QueryPlanningTime",
            "QueryQueueTime",
            "ServiceProcessingTime",
            "TotalExecutionTime",
        }
    ),
}
