-- Of those who look, how many put something into the cart, and how many of these buy?
--
-- A visitor has done a step if it happened after the step before, on whichever visit.
--
-- step                 1 to 3
-- event_type           what the step is; put your own three into all places
-- visitors             different visitors who came as far
-- percent_of_first     of those who did step 1
-- percent_of_previous  of those who did the step before
--
-- The last 30 days; how to change that is said in daily_visitors.
WITH
  viewed AS (
    SELECT
      visitor_id,
      event_type,
      event_ts,
      min(IF(event_type = 'page_view', event_ts)) OVER (PARTITION BY visitor_id) AS first_at
    FROM clickstream_events_unique
    WHERE traffic_type = 'human'
      AND visitor_id IS NOT NULL
      AND event_type IN ('page_view', 'add_to_cart', 'purchase')
      AND year || month || day >= date_format(current_date - INTERVAL '31' DAY, '%Y%m%d')
      AND event_date > current_date - INTERVAL '30' DAY
  ),
  added AS (
    SELECT
      *,
      min(IF(event_type = 'add_to_cart' AND event_ts > first_at, event_ts)) OVER (PARTITION BY visitor_id) AS second_at
    FROM viewed
  ),
  bought AS (
    SELECT
      visitor_id,
      min(first_at) AS first_at,
      min(second_at) AS second_at,
      min(IF(event_type = 'purchase' AND event_ts > second_at, event_ts)) AS third_at
    FROM added
    GROUP BY visitor_id
  ),
  counted AS (
    SELECT count(first_at) AS looked, count(second_at) AS chose, count(third_at) AS paid
    FROM bought
  )
SELECT
  step,
  event_type,
  visitors,
  round(1e2 * visitors / nullif(looked, 0), 1) AS percent_of_first,
  round(1e2 * visitors / nullif(previous, 0), 1) AS percent_of_previous
FROM counted
CROSS JOIN UNNEST(
  ARRAY['page_view', 'add_to_cart', 'purchase'],
  ARRAY[looked, chose, paid],
  ARRAY[looked, looked, chose]
) WITH ORDINALITY AS steps (event_type, visitors, previous, step)
ORDER BY step
