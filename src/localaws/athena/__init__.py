"""Amazon Athena on one machine: Trino's SQL and Hive's DDL over Glue's catalog and the files under S3.

In the parent process (light, no DuckDB, no sqlglot):
    service     the API: executions and their states; requests, results and pages are parts of it
    carrying    an execution carried out, by kind of statement; result_files are what it leaves, with result_metadata
    settings    the API's smaller resources, with saved (statements) and metadata (the data catalog)
    executions  the durable history; reuse says which earlier result answers a query again,
                managed keeps results that S3 does not have
    statements  what kind of statement a text is -> ddl and alter (Hive's DDL, parsed) -> commands, with alterations,
                repairs and shows (carried out on the catalog)
    malformed   which of it must be in Trino's grammar to be taken at all
    writing     CREATE TABLE AS, INSERT INTO, UNLOAD, parsed -> writes (carried out, by outputs and assignment)
    workers     a pool of worker processes, within limits; questions are what they ask

In a worker process (DuckDB and sqlglot, locked down):
    worker      takes a query, answers with its result; asks the parent for tables, partitions and files
    connection  DuckDB's, which makes macros when they are named
    query       one query from text to result, through the following
    reading     its text read once, to be refused or run
    grammar     Trino's SQL as a syntax tree; refuses what is not in its tables or in functions
    syntax      refuses other dialects' words that sqlglot reads
    names, mixtures   refuse aliases where Trino sees none, and types that only DuckDB would mix
    operands    refuses comparisons that only DuckDB would make; analyzer (with relations) what else only
                Trino's analyzer refuses
    dialect     the tree rewritten for DuckDB: functions, rewrites, macros, formats, numbers, temporal, lambdas,
                unnesting
    arrays, regexps   what NULL means in arrays, and in groups of a regular expression
    columns     whose column a name is; known and numbers: what the tree shows of an expression's type
    comparisons of NaN and maps; temporal, zones (AT TIME ZONE), rows
    reference   the rarer functions' macros; binary, jsontext, formatter (format), replacements (regexp_replace),
                sqljson with sqljson_grammar (json_value ...)
    pruning     which partitions the query can want
    scan        a Glue table (table) as a relation over its files, by Glue's schema: parquet_files, json_files with
                json_values, text_files with delimited; what is known of the files before: facts
    text        values as Athena writes them
    files_out   the rows of what writes, as files

Shared: frames (the wire between them), types (Hive, Trino and DuckDB type names), views, failures (Athena's words).
"""
