-- What brings people here, and which channel's visits end in a purchase?
--
-- A session is a visitor's events with no gap of more than 30 minutes, and its channel that of its first event that has
-- one: within a visit most have none, for their referrer is the site itself.
--
-- channel           by the names of Google Analytics' default channel groups; NULL if no event of the session says
-- sessions          visits that it brought
-- visitors          different visitors
-- purchases         sessions with a purchase
-- percent_purchased of the sessions
--
-- The last 30 days; how to change that is said in daily_visitors.
WITH
  gaps AS (
    SELECT
      app_id,
      visitor_id,
      event_type,
      event_ts,
      channel,
      event_ts <= lag(event_ts) OVER (PARTITION BY app_id, visitor_id ORDER BY event_ts) + INTERVAL '30' MINUTE AS goes_on
    FROM clickstream_events_unique
    WHERE traffic_type = 'human'
      AND visitor_id IS NOT NULL
      AND year || month || day >= date_format(current_date - INTERVAL '31' DAY, '%Y%m%d')
      AND event_date > current_date - INTERVAL '30' DAY
  ),
  numbered AS (
    SELECT
      *,
      sum(IF(goes_on, 0, 1)) OVER (PARTITION BY app_id, visitor_id ORDER BY event_ts) AS session_number
    FROM gaps
  ),
  visits AS (
    SELECT
      visitor_id,
      min_by(channel, event_ts) FILTER (WHERE channel IS NOT NULL) AS channel,
      count_if(event_type = 'purchase') AS purchases
    FROM numbered
    GROUP BY app_id, visitor_id, session_number
  )
SELECT
  channel,
  count(*) AS sessions,
  count(DISTINCT visitor_id) AS visitors,
  count_if(purchases > 0) AS purchases,
  round(1e2 * count_if(purchases > 0) / count(*), 1) AS percent_purchased
FROM visits
GROUP BY channel
ORDER BY sessions DESC, channel
