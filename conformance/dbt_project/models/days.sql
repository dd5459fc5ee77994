{{ config(materialized="incremental", incremental_strategy="append") }}
select day, count(*) as clicks
from {{ ref("clicks") }}
where day <= date '{{ var("until") }}'
{% if is_incremental() %}
  and day > (select max(day) from {{ this }})
{% endif %}
group by day
