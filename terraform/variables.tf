variable "s3_bucket_name" {
  description = "The lake's bucket. Bucket names are unique in the whole world: choose your own."
  type        = string

  validation {
    condition     = var.s3_bucket_name != "your-unique-bucket-name"
    error_message = "This is still the placeholder: put a name of your own into terraform.tfvars, such as s3_bucket_name = \"acme-clickstream-dev\"."
  }
}

variable "environment" {
  description = "Part of every name: dev, prod, staging2 ... Only dev may be destroyed together with its data by default."
  type        = string
  default     = "dev"
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
}

variable "lambda_package" {
  description = "The function's zip, made by: make package."
  type        = string
  default     = "../dist/processor.zip"
}

variable "buffering" {
  description = "When Firehose writes an object: at so many MiB or after so many seconds, whatever comes first; null takes the pipeline file's."
  type        = object({ mib = number, seconds = number })
  default     = null
}

variable "log_retention_days" {
  description = "How long the function's logs are kept."
  type        = number
  default     = 30
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
}

variable "force_destroy" {
  description = "May terraform destroy delete the data? null means: in dev only."
  type        = bool
  default     = null
}
