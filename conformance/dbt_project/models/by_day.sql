{{ config(materialized="incremental", incremental_strategy="insert_overwrite", partitioned_by=["day"]) }}
select page, count(*) as clicks, cast(day as varchar) as day
from {{ ref("clicks") }}
where day <= date '{{ var("until") }}'
{% if is_incremental() %}
  and day >= date '2024-01-02'
{% endif %}
group by page, day
