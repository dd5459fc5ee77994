"""Amazon Athena on one machine: Trino's SQL and Hive's DDL over Glue's catalog and the files under S3.

In the parent process (light, no DuckDB, no sqlglot):
    service     the API: executions and their states, results
    settings    the API's smaller resources: workgroups, named queries, prepared statements, the data catalog
    executions  the durable history
    statements  what kind of statement a text is -> ddl (Hive's DDL, parsed) -> commands (carried out on the catalog)
    workers     a pool of worker processes

In a worker process (DuckDB and sqlglot, locked down):
    worker      takes a query, answers with its result; asks the parent for tables, partitions and files
    query       one query from text to result: dialect -> scan -> pruning -> text
    dialect     Trino's syntax tree rewritten for DuckDB, by the tables in functions; refuses what it does not know
    scan        a Glue table as a relation over its files, by Glue's schema
    text        values as Athena writes them

Shared: frames (the wire between them), types (Hive, Trino and DuckDB type names), views, failures (Athena's words).
"""
