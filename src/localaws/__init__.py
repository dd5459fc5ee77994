"""AWS on one machine: a small AWS-compatible endpoint with durable files underneath.

It knows AWS and nothing of the product that runs on it. Reading order, which is also the import order:
errors -> durable -> store -> wire -> sigv4 -> the services, each alone -> server -> runtime.
"""
