-- Which pages are seen most?
--
-- page_host   the site
-- page_path   the page, without its query
-- page_views  how often it was seen
-- visitors    by how many different visitors
--
-- The 100 most seen of the last 30 days; how to change the days is said in daily_visitors.
SELECT
  page_host,
  page_path,
  count(*) AS page_views,
  count(DISTINCT visitor_id) AS visitors
FROM clickstream_events_unique
WHERE traffic_type = 'human'
  AND event_type = 'page_view'
  AND year || month || day >= date_format(current_date - INTERVAL '31' DAY, '%Y%m%d')
  AND event_date > current_date - INTERVAL '30' DAY
GROUP BY page_host, page_path
ORDER BY page_views DESC, visitors DESC, page_host, page_path
LIMIT 100
