-- How many visits were there each day, how long and how deep?
--
-- A session is a visitor's events with no gap of more than 30 minutes between them; the sender's session_id is not used.
--
-- session_date        the UTC day on which the session began
-- sessions            how many began
-- visitors            different visitors who began one
-- events_per_session  on average
-- minutes             from a session's first event to its last, on average
-- percent_bounced     sessions of one page view at most
--
-- The last 30 days; how to change that is said in daily_visitors.
WITH
  gaps AS (
    SELECT
      app_id,
      visitor_id,
      event_type,
      event_ts,
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
      min(event_ts) AS began,
      max(event_ts) AS ended,
      count(*) AS events,
      count_if(event_type = 'page_view') AS page_views
    FROM numbered
    GROUP BY app_id, visitor_id, session_number
  )
SELECT
  CAST(began AS date) AS session_date,
  count(*) AS sessions,
  count(DISTINCT visitor_id) AS visitors,
  round(avg(CAST(events AS double)), 2) AS events_per_session,
  round(avg(date_diff('second', began, ended) / 6e1), 2) AS minutes,
  round(1e2 * count_if(page_views <= 1) / count(*), 1) AS percent_bounced
FROM visits
GROUP BY CAST(began AS date)
ORDER BY session_date DESC
