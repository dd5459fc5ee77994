# The whole pipeline with nothing but its defaults. Build the package first: make package.

provider "aws" {}

module "clickstream" {
  source = "../.." # yours: "git::https://<where the repository is>//terraform/modules/clickstream?ref=<tag>"

  s3_bucket_name = var.s3_bucket_name
  lambda_package = var.lambda_package
}
