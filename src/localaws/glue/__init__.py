"""Glue's Data Catalog: service (the API) over catalog (the durable tables), with expression for partition filters."""
