variable "s3_bucket_name" {
  description = "The lake's bucket, a name that nobody in the world has."
  type        = string
}

variable "environment" {
  description = "Part of every name."
  type        = string
  default     = "dev"
}

variable "lambda_package" {
  description = "The function's zip, made by: make package."
  type        = string
  default     = "../../../../../dist/processor-aws-arm64.zip"
}

variable "collector_package" {
  description = "The collector's zip, made by: make package."
  type        = string
  default     = "../../../../../dist/collector-aws-arm64.zip"
}

variable "write_key" {
  description = "What the shop's pages send with their events. Make one of your own: uuidgen."
  type        = string
  default     = "an-example-key"
}

variable "collector_rate_limit" {
  description = "Requests a second that the collector takes."
  type        = number
  default     = 500
}

variable "force_destroy" {
  description = "May terraform destroy delete the data?"
  type        = bool
  default     = false
}

variable "reserved_concurrency" {
  description = "How many invocations may run at once; null reserves nothing."
  type        = number
  default     = 10
}

variable "buffering" {
  description = "When Firehose writes an object: at so many MiB or after so many seconds, whatever comes first."
  type        = object({ mib = number, seconds = number })
  default     = { mib = 64, seconds = 60 }
}
