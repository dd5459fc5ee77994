-- How many people came each day, and how much did they do?
--
-- event_date  the UTC day
-- visitors    different visitors; one who can't be told from others (no visitor_id) is not among them
-- page_views  pages that were seen
-- events      all events of the day
--
-- The last 30 days, today included. For another period change both numbers of days: the first chooses the partitions,
-- which are days of arrival, and is one more, for an object bears the time of its oldest event.
SELECT
  event_date,
  count(DISTINCT visitor_id) AS visitors,
  count_if(event_type = 'page_view') AS page_views,
  count(*) AS events
FROM clickstream_events_unique
WHERE traffic_type = 'human'
  AND year || month || day >= date_format(current_date - INTERVAL '31' DAY, '%Y%m%d')
  AND event_date > current_date - INTERVAL '30' DAY
GROUP BY event_date
ORDER BY event_date DESC
