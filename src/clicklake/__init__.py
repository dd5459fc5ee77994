"""clicklake: a serverless clickstream pipeline, on AWS and on one laptop."""

__version__ = "0.1.0"
