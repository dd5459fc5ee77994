variable "s3_bucket_name" {
  description = "The lake's bucket; the module makes it and owns its whole configuration, notifications included."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.s3_bucket_name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit."
  }

  # docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
  validation {
    condition     = !can(regex("[.]{2}|^[0-9.]+$|^(xn--|sthree-|amzn-s3-demo-)|(-s3alias|--ol-s3|[.]mrap|--x-s3|--table-s3)$", var.s3_bucket_name))
    error_message = "S3 takes no bucket name with two dots in a row, none that is an IP address, and keeps some beginnings (xn--) and endings (-s3alias) for itself."
  }
}

variable "environment" {
  description = "Part of every name: dev, prod, staging2 ..."
  type        = string
  default     = "dev"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "An environment has 1 to 20 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "pipeline_file" {
  description = "The pipeline file: names, prefixes, buffering and columns; null takes the one of this repository."
  type        = string
  default     = null

  validation {
    condition     = var.pipeline_file == null ? true : can(jsondecode(file(var.pipeline_file)).names)
    error_message = "There is no pipeline file of that name, or it is no JSON with \"names\"; begin with a copy of src/clicklake/pipeline.json."
  }
}

variable "lambda_package" {
  description = "The function's zip, made by: make package."
  type        = string

  validation {
    condition     = endswith(var.lambda_package, ".zip")
    error_message = "The package is a zip; run: make package."
  }
}

variable "buffering" {
  description = "When Firehose writes an object: at so many MiB or after so many seconds, whatever comes first; null takes the pipeline file's."
  type        = object({ mib = number, seconds = number })
  default     = null

  validation {
    condition     = var.buffering == null ? true : var.buffering.mib >= 1 && var.buffering.mib <= 128
    error_message = "Firehose buffers 1 to 128 MiB."
  }

  validation {
    condition     = var.buffering == null ? true : var.buffering.seconds >= 0 && var.buffering.seconds <= 900
    error_message = "Firehose buffers 0 to 900 seconds."
  }
}

variable "log_retention_days" {
  description = "How long the logs of the function and of failed deliveries are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "CloudWatch Logs keeps 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}

variable "user_key_parameter" {
  description = "The name of the SSM SecureString that holds the key of user_key, made outside of Terraform so that no state file has it; null means no key: user_key is NULL."
  type        = string
  default     = null

  validation {
    condition     = var.user_key_parameter == null ? true : startswith(var.user_key_parameter, "/")
    error_message = "Give the parameter's whole name, which begins with a slash."
  }
}

variable "geo_database" {
  description = "The MMDB file that country, region and city are looked up in, as the function sees it, such as /opt/GeoLite2-City.mmdb of a layer; null means edge headers only."
  type        = string
  default     = null

  validation {
    condition     = var.geo_database == null ? true : endswith(var.geo_database, ".mmdb")
    error_message = "A geo database is an .mmdb file."
  }
}

variable "lambda_layers" {
  description = "The ARNs of the function's layers, such as one with a geo database; at most 5."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.lambda_layers) <= 5 && alltrue([for arn in var.lambda_layers : can(regex("^arn:[^:]+:lambda:[^:]+:[^:]+:layer:[^:]+:[0-9]+$", arn))])
    error_message = "Give at most 5 ARNs of layers, each with its version: arn:...:layer:geo:3."
  }
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

  validation {
    condition     = alltrue([for days in values(var.retention_days) : days == null ? true : days >= 0 && floor(days) == days])
    error_message = "Give whole days; 0 keeps a zone for ever."
  }
}

variable "query_scan_limit_gib" {
  description = "A query that would read more GiB than this is cancelled, so that no mistake costs more than about 5 USD a TiB of it."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.query_scan_limit_gib >= 0.01 && var.query_scan_limit_gib <= 7 * 1024 * 1024
    error_message = "Athena takes a limit from 10 MB (0.01 GiB) on."
  }
}

variable "reserved_concurrency" {
  description = "How many invocations of the function may run at once, taken out of the account's concurrency (a new account's 10 can't be reserved); null reserves nothing."
  type        = number
  default     = null

  validation {
    condition     = var.reserved_concurrency == null ? true : var.reserved_concurrency >= 1 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "Reserve at least 1; with 0 the function would never run."
  }
}

variable "encryption" {
  description = "sse-s3: by keys of AWS's, without cost. own-key: by a KMS key that the module makes, for 1 USD a month, and 1 more after each of its first two yearly rotations; it can't be taken back, for without the key what was written with it is lost. given-key: by kms_key_arn."
  type        = string
  default     = "sse-s3"
  nullable    = false

  validation {
    condition     = contains(["sse-s3", "own-key", "given-key"], var.encryption)
    error_message = "Choose sse-s3, own-key or given-key."
  }
}

variable "kms_key_arn" {
  description = "The key of encryption = \"given-key\"; its policy must have what the output key_policy_statements says."
  type        = string
  default     = null

  validation {
    condition     = (var.encryption == "given-key") == (var.kms_key_arn != null)
    error_message = "kms_key_arn and encryption = \"given-key\" go together."
  }

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[^:]+:kms:[^:]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "Give the key's ARN, arn:...:key/...; an alias may point to another key tomorrow."
  }
}

variable "permissions_boundary" {
  description = "The ARN of the policy that bounds both roles, where an organisation wants one; null means none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary == null ? true : can(regex("^arn:[^:]+:iam::[0-9a-z]*:policy/.+$", var.permissions_boundary))
    error_message = "Give the policy's ARN, arn:...:policy/..."
  }
}

variable "tags" {
  description = "Tags of everything that can have tags, besides the provider's default_tags."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for key in keys(var.tags) : !startswith(lower(key), "aws:") && length(key) <= 128])
    error_message = "A tag's key has up to 128 characters and does not begin with aws:."
  }
}

variable "access_logs" {
  description = "A bucket of yours that takes S3's access logs of the lake, and what their keys begin with; it must be encrypted by SSE-S3 and let logging.s3.amazonaws.com put objects. null means no access logs."
  type        = object({ bucket = string, prefix = optional(string, "s3-access/") })
  default     = null

  validation {
    condition     = var.access_logs == null ? true : var.access_logs.bucket != var.s3_bucket_name
    error_message = "The lake can't keep its own access logs: each would be logged in turn."
  }
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

  validation {
    condition     = alltrue([for address in var.alarm_emails : can(regex("^[^@ ]+@[^@ ]+$", address))])
    error_message = "Give e-mail addresses."
  }

  validation {
    condition     = length(var.alarm_emails) == 0 || var.alarms || var.monthly_budget_usd != null
    error_message = "There is nothing to announce: set alarms = true or monthly_budget_usd."
  }
}

variable "alarm_actions" {
  description = "ARNs of further topics or actions that alarms are announced to."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.alarm_actions) <= 4 && alltrue([for arn in var.alarm_actions : startswith(arn, "arn:")])
    error_message = "Give at most 4 ARNs: an alarm has 5 actions, and the module's own topic is one of them."
  }
}

variable "no_data_minutes" {
  description = "After how many minutes without any event there is an alarm; null means never, for a stream that may be quiet."
  type        = number
  default     = 60

  validation {
    condition     = var.no_data_minutes == null ? true : var.no_data_minutes >= 5 && var.no_data_minutes <= 1440
    error_message = "Give 5 to 1440 minutes: an alarm looks back a day at most."
  }
}

variable "failed_records_percent" {
  description = "There is an alarm when more of a quarter of an hour's records than this could not become events."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.failed_records_percent >= 0 && var.failed_records_percent < 100
    error_message = "Give a percentage from 0 to below 100."
  }
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

  validation {
    condition     = var.monthly_budget_usd == null ? true : var.monthly_budget_usd > 0
    error_message = "A budget is more than 0 USD."
  }
}

variable "budget_tag" {
  description = "Only what has this tag counts against the budget; it must be active as a cost allocation tag, or nothing does. null counts the whole account."
  type        = object({ key = string, value = string })
  default     = null

  validation {
    condition     = var.budget_tag == null ? true : length(var.budget_tag.key) > 0 && length(var.budget_tag.value) > 0
    error_message = "Give the tag's key and its value."
  }
}

variable "enable_collector" {
  description = "An HTTP API, and a function behind it, that take events from browsers and servers which sign nothing: docs/collector-aws.md. It costs nothing at rest, and about 1.50 USD for a million requests."
  type        = bool
  default     = false
  nullable    = false
}

variable "collector_package" {
  description = "The collector's zip, made by: make package."
  type        = string
  default     = null

  validation {
    condition     = var.enable_collector && var.collector_package == null ? false : endswith(coalesce(var.collector_package, "none.zip"), ".zip")
    error_message = "The collector needs its zip; run: make package."
  }
}

variable "collector_sites" {
  description = "Who may send: each site has an app_id, which all of its events get, a write key, and the origins of its pages, besides collector_origins. A key that a page has is no secret: it tells sites apart, and is changed when it is abused."
  type        = list(object({ app_id = string, write_key = string, origins = optional(list(string), []) }))
  default     = []
  nullable    = false

  validation {
    condition     = !var.enable_collector || length(var.collector_sites) > 0
    error_message = "Without a site anybody could fill the lake: give at least one, such as { app_id = \"shop\", write_key = \"...\", origins = [\"https://shop.example\"] }."
  }

  validation {
    condition     = alltrue([for site in var.collector_sites : length(site.app_id) > 0 && can(regex("^[A-Za-z0-9._-]{8,128}$", site.write_key))])
    error_message = "A site has an app_id, and a write key of 8 to 128 letters, digits, dots, _ and -; uuidgen makes one."
  }

  validation {
    condition     = length(distinct(var.collector_sites[*].write_key)) == length(var.collector_sites) && length(distinct(var.collector_sites[*].app_id)) == length(var.collector_sites)
    error_message = "Two sites have the same write key or the same app_id."
  }

  validation {
    condition     = alltrue([for origin in flatten(var.collector_sites[*].origins) : can(regex("^https?://([*][.])?([[][0-9a-f:]+[]]|[A-Za-z0-9._-]+)(:([0-9]{1,5}|[*]))?$", origin))])
    error_message = "An origin is such as https://shop.example or https://*.shop.example, without a path; * alone is none."
  }
}

variable "collector_origins" {
  description = "The origins of pages that may send for any site; a page of another origin is refused. Servers and apps have none."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for origin in var.collector_origins : can(regex("^https?://([*][.])?([[][0-9a-f:]+[]]|[A-Za-z0-9._-]+)(:([0-9]{1,5}|[*]))?$", origin))])
    error_message = "An origin is such as https://shop.example or https://*.shop.example, without a path; * alone is none."
  }
}

variable "collector_consent" {
  description = "What Sec-GPC: 1 and DNT: 1 of a browser do. ignore: nothing. anonymise: the event loses who it was. refuse: the event is not taken."
  type        = string
  default     = "ignore"
  nullable    = false

  validation {
    condition     = contains(["ignore", "anonymise", "refuse"], var.collector_consent)
    error_message = "Choose ignore, anonymise or refuse."
  }
}

variable "collector_cookie" {
  description = "A first-party cookie whose value becomes the anonymous_id of events that have none, for pages of the collector's own site; null means no cookie."
  type        = object({ name = optional(string, "clid"), days = optional(number, 365), domain = optional(string, "") })
  default     = null

  validation {
    condition     = var.collector_cookie == null ? true : can(regex("^[A-Za-z0-9_-]{1,64}$", var.collector_cookie.name)) && can(regex("^[A-Za-z0-9.-]*$", var.collector_cookie.domain))
    error_message = "A cookie's name has up to 64 letters, digits, _ and -, its domain letters, digits, dots and -."
  }

  validation {
    condition     = var.collector_cookie == null ? true : var.collector_cookie.days >= 1 && var.collector_cookie.days <= 400 && floor(var.collector_cookie.days) == var.collector_cookie.days
    error_message = "A cookie lasts 1 to 400 days: browsers keep none longer."
  }
}

variable "collector_trusted_proxies" {
  description = "How many proxies of yours stand before the API and add to X-Forwarded-For: 1 with CloudFront. The visitor's address is the one before theirs."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.collector_trusted_proxies >= 0 && floor(var.collector_trusted_proxies) == var.collector_trusted_proxies
    error_message = "Give a whole number of proxies."
  }
}

variable "collector_rate_limit" {
  description = "Requests a second that the collector takes; what is above gets 429. It bounds what a flood can cost: 100 a second are 260 million in a month."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.collector_rate_limit >= 1
    error_message = "Take at least 1 request a second."
  }
}

variable "collector_burst_limit" {
  description = "How many requests may come at once, above the rate."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.collector_burst_limit >= 1 && floor(var.collector_burst_limit) == var.collector_burst_limit
    error_message = "Take at least 1 request at once."
  }
}

variable "collector_memory_mib" {
  description = "The collector's memory, and with it its share of a CPU: 1,769 MiB are one. More starts sooner."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.collector_memory_mib >= 128 && var.collector_memory_mib <= 10240 && floor(var.collector_memory_mib) == var.collector_memory_mib
    error_message = "A function has 128 to 10,240 MiB."
  }
}

variable "collector_reserved_concurrency" {
  description = "How many requests the collector may work on at once, taken out of the account's concurrency; null reserves nothing."
  type        = number
  default     = null

  validation {
    condition     = var.collector_reserved_concurrency == null ? true : var.collector_reserved_concurrency >= 1 && floor(var.collector_reserved_concurrency) == var.collector_reserved_concurrency
    error_message = "Reserve at least 1; with 0 the collector would never run."
  }
}
