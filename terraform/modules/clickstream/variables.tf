variable "s3_bucket_name" {
  description = "The lake's bucket; the module makes it and owns its whole configuration, notifications included."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.s3_bucket_name))
    error_message = "A bucket name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit."
  }
}

variable "environment" {
  description = "Part of every name: dev, prod, staging2 ..."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,19}$", var.environment))
    error_message = "An environment has 1 to 20 lower-case letters, digits and hyphens, and begins with a letter."
  }
}

variable "pipeline_file" {
  description = "The pipeline file: names, prefixes, buffering and columns; null takes the one of this repository."
  type        = string
  default     = null
}

variable "lambda_package" {
  description = "The function's zip."
  type        = string
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
  description = "How long the function's logs are kept."
  type        = number
  default     = 30

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
}

variable "lambda_layers" {
  description = "The ARNs of the function's layers, such as one with a geo database; at most 5."
  type        = list(string)
  default     = []
}

variable "force_destroy" {
  description = "May terraform destroy delete the data? null means: in dev only."
  type        = bool
  default     = null
}
