variable "s3_bucket_name" {
  description = "The lake's bucket, a name that nobody in the world has."
  type        = string
}

variable "lambda_package" {
  description = "The function's zip, made by: make package."
  type        = string
  default     = "../../../../../dist/processor-aws-arm64.zip"
}
