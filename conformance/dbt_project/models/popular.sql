{{ config(materialized="table", format="parquet") }}
select page, clicks, rank() over (order by clicks desc) as place
from {{ ref("pages") }}
