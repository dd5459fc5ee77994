variable "s3_bucket_name" {
  description = "The lake's bucket. Bucket names are unique in the whole world: choose your own."
  type        = string

  validation {
    condition     = var.s3_bucket_name != "your-unique-bucket-name"
    error_message = "This is still the placeholder: put a name of your own into terraform.tfvars, or into the file of -var-file, such as s3_bucket_name = \"acme-clickstream-dev\"."
  }
}

variable "environment" {
  description = "Part of every name: dev, prod, staging2 ... Only dev may be destroyed together with its data by default."
  type        = string
  default     = "dev"
  nullable    = false
}

variable "region" {
  description = "The AWS region; null takes AWS_REGION or the profile's."
  type        = string
  default     = null
}

variable "pipeline_file" {
  description = "The pipeline file: names, prefixes, buffering and columns. The same file must be baked into the package."
  type        = string
  default     = "../src/clicklake/pipeline.json"
  nullable    = false
}

variable "lambda_package" {
  description = "The function's zip; null takes the one that `make package` made for where this goes: for Lambda on the pipeline file's architecture, or in the workspace laptop, which `clicklake env` chooses, for this machine."
  type        = string
  default     = null
}

variable "buffering" {
  description = "When Firehose writes an object: at so many MiB or after so many seconds, whatever comes first; null takes the pipeline file's."
  type        = object({ mib = number, seconds = number })
  default     = null
}

variable "log_retention_days" {
  description = "How long the logs of the function and of failed deliveries are kept."
  type        = number
  default     = 30
  nullable    = false
}

variable "user_key_parameter" {
  description = "The name of the SSM SecureString that holds the key of user_key, made outside of Terraform so that no state file has it; null means no key: user_key is NULL."
  type        = string
  default     = null
}

variable "geo_database" {
  description = "The MMDB file that country, region and city are looked up in, as the function sees it, such as /opt/GeoLite2-City.mmdb of a layer; null means edge headers only."
  type        = string
  default     = null
}

variable "lambda_layers" {
  description = "The ARNs of the function's layers, such as one with a geo database; at most 5."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "force_destroy" {
  description = "May terraform destroy delete the data? null means: in dev only."
  type        = bool
  default     = null
}

variable "retention_days" {
  description = "After how many days objects of a zone go; a zone that is not given keeps the pipeline file's days, and 0 means never."
  type        = object({ raw = optional(number), failed = optional(number), query_results = optional(number) })
  default     = {}
  nullable    = false
}

variable "query_scan_limit_gib" {
  description = "A query that would read more GiB than this is cancelled, so that no mistake costs more than about 5 USD a TiB of it."
  type        = number
  default     = 100
  nullable    = false
}

variable "reserved_concurrency" {
  description = "How many invocations of the function may run at once, taken out of the account's concurrency (a new account's 10 can't be reserved); null reserves nothing."
  type        = number
  default     = null
}

variable "encryption" {
  description = "sse-s3: by keys of AWS's, without cost. own-key: by a KMS key that the module makes, for 1 USD a month, and 1 more after each of its first two yearly rotations; it can't be taken back, for without the key what was written with it is lost. given-key: by kms_key_arn."
  type        = string
  default     = "sse-s3"
  nullable    = false
}

variable "kms_key_arn" {
  description = "The key of encryption = \"given-key\"; its policy must have what the output key_policy_statements says."
  type        = string
  default     = null
}

variable "permissions_boundary" {
  description = "The ARN of the policy that bounds both roles, where an organisation wants one; null means none."
  type        = string
  default     = null
}

variable "tags" {
  description = "Tags of everything that can have tags, besides Project, Environment and ManagedBy."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "access_logs" {
  description = "A bucket of yours that takes S3's access logs of the lake, and what their keys begin with; it must be encrypted by SSE-S3 and let logging.s3.amazonaws.com put objects. null means no access logs."
  type        = object({ bucket = string, prefix = optional(string, "s3-access/") })
  default     = null
}

variable "alarms" {
  description = "Alarms of what can be late or lost, with a topic to announce them: about 2.50 USD a month."
  type        = bool
  default     = false
  nullable    = false
}

variable "alarm_emails" {
  description = "Who gets the alarms and the budget's warnings by e-mail; each has to confirm once."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "alarm_actions" {
  description = "ARNs of further topics or actions that alarms are announced to."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "no_data_minutes" {
  description = "After how many minutes without any event there is an alarm; null means never, for a stream that may be quiet."
  type        = number
  default     = 60
}

variable "failed_records_percent" {
  description = "There is an alarm when more of a quarter of an hour's records than this could not become events."
  type        = number
  default     = 1
  nullable    = false
}

variable "dashboard" {
  description = "A CloudWatch dashboard of the pipeline; an account's first three are free, each further one is 3 USD a month."
  type        = bool
  default     = false
  nullable    = false
}

variable "monthly_budget_usd" {
  description = "A budget of so many USD a month, with a warning at 80 % and when the forecast is above it; null means none."
  type        = number
  default     = null
}

variable "budget_tag" {
  description = "Only what has this tag counts against the budget; it must be active as a cost allocation tag, or nothing does. null counts the whole account."
  type        = object({ key = string, value = string })
  default     = null
}

variable "enable_collector" {
  description = "An HTTP API, and a function behind it, that take events from browsers and servers which sign nothing: docs/collector-aws.md. It costs nothing at rest, and about 1.50 USD for a million requests."
  type        = bool
  default     = false
  nullable    = false
}

variable "collector_package" {
  description = "The collector's zip; null takes the one that `make package` made for where this goes."
  type        = string
  default     = null
}

variable "collector_sites" {
  description = "Who may send: each site has an app_id, which all of its events get, a write key, and the origins of its pages, besides collector_origins. A key that a page has is no secret: it tells sites apart, and is changed when it is abused."
  type        = list(object({ app_id = string, write_key = string, origins = optional(list(string), []) }))
  default     = []
  nullable    = false
}

variable "collector_origins" {
  description = "The origins of pages that may send for any site; a page of another origin is refused. Servers and apps have none."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "collector_consent" {
  description = "What Sec-GPC: 1 and DNT: 1 of a browser do. ignore: nothing. anonymise: the event loses who it was. refuse: the event is not taken."
  type        = string
  default     = "ignore"
  nullable    = false
}

variable "collector_cookie" {
  description = "A first-party cookie whose value becomes the anonymous_id of events that have none, for pages of the collector's own site; null means no cookie."
  type        = object({ name = optional(string, "clid"), days = optional(number, 365), domain = optional(string, "") })
  default     = null
}

variable "collector_trusted_proxies" {
  description = "How many proxies of yours stand before the API and add to X-Forwarded-For: 1 with CloudFront. The visitor's address is the one before theirs."
  type        = number
  default     = 0
  nullable    = false
}

variable "collector_rate_limit" {
  description = "Requests a second that the collector takes; what is above gets 429. It bounds what a flood can cost: 100 a second are 260 million in a month."
  type        = number
  default     = 100
  nullable    = false
}

variable "collector_burst_limit" {
  description = "How many requests may come at once, above the rate."
  type        = number
  default     = 200
  nullable    = false
}

variable "collector_memory_mib" {
  description = "The collector's memory, and with it its share of a CPU: 1,769 MiB are one. More starts sooner."
  type        = number
  default     = 512
  nullable    = false
}

variable "collector_reserved_concurrency" {
  description = "How many requests the collector may work on at once, taken out of the account's concurrency; null reserves nothing."
  type        = number
  default     = null
}
