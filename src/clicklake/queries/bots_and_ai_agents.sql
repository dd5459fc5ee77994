-- Which machines read the site, and how much?
--
-- traffic_type  bot (crawlers, monitoring), ai_agent (reads for a model) or automation (tools, remote-controlled browsers)
-- bot_name      its name, as it gives it
-- events        how many events it made
-- pages         how many different pages it read
-- days          on how many days
-- last_seen     when last, UTC
--
-- The last 30 days; how to change that is said in daily_visitors.
SELECT
  traffic_type,
  bot_name,
  count(*) AS events,
  count(DISTINCT page_host || page_path) AS pages,
  count(DISTINCT event_date) AS days,
  max(event_ts) AS last_seen
FROM clickstream_events_unique
WHERE traffic_type <> 'human'
  AND year || month || day >= date_format(current_date - INTERVAL '31' DAY, '%Y%m%d')
  AND event_date > current_date - INTERVAL '30' DAY
GROUP BY traffic_type, bot_name
ORDER BY events DESC, traffic_type, bot_name
