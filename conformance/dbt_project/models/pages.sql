{{ config(materialized="view") }}
select page, count(*) as clicks, sum(seconds) as seconds
from {{ ref("clicks") }}
group by page
