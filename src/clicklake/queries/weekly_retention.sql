-- Of the people who first came in a week, how many come back in the weeks after?
--
-- first_week   the Monday of the week in which they were first seen
-- weeks_later  0 is that week itself
-- visitors     how many of them were there in that week
-- percent      of all who were first seen in first_week
--
-- The last 8 weeks, this one included; who came before that counts as new. For another number of weeks change both
-- conditions: the first chooses the partitions, from a day earlier on, for an object bears the time of its oldest event.
WITH
  weeks AS (
    SELECT DISTINCT
      visitor_id,
      date_trunc('week', event_date) AS week
    FROM clickstream_events_unique
    WHERE traffic_type = 'human'
      AND visitor_id IS NOT NULL
      AND year || month || day >= date_format(date_trunc('week', current_date) - INTERVAL '50' DAY, '%Y%m%d')
      AND event_date >= date_trunc('week', current_date) - INTERVAL '49' DAY
  ),
  cohorts AS (
    SELECT
      visitor_id,
      week,
      min(week) OVER (PARTITION BY visitor_id) AS first_week
    FROM weeks
  ),
  counted AS (
    SELECT
      first_week,
      date_diff('week', first_week, week) AS weeks_later,
      count(*) AS visitors
    FROM cohorts
    GROUP BY 1, 2
  )
SELECT
  first_week,
  weeks_later,
  visitors,
  round(1e2 * visitors / max(visitors) OVER (PARTITION BY first_week), 1) AS percent
FROM counted
ORDER BY first_week DESC, weeks_later
